// Reading the page aloud with a voice of the device, from where one is looking, line by line; the line is
// marked. Once switched on it also reads each next screen. Only voices that speak on the device itself: what
// is read may be answers. Where there is none for the language of the page, nothing is offered.
(function () {
  'use strict';

  const LINES = 'h1, h2, h3, h4, p, li, dt, dd, legend, label:not(.choice), .card';
  const SILENT = '.place, .actions, .comforts, nav, [aria-hidden=true]';
  const button = document.getElementById('aloud');
  const voices = window.speechSynthesis;
  if (!button || !voices || !window.SpeechSynthesisUtterance) return;

  const language = document.documentElement.lang;
  const elder = document.documentElement.hasAttribute('data-elder');
  const [label, told] = [button.querySelector('span'), document.getElementById('aloud-told')];
  const words = { off: label.textContent };
  ['speaking', 'waiting', 'failed'].forEach((name) => { words[name] = button.getAttribute('data-' + name); });
  let state = 'off';    // speaking; waiting for the next screen
  let turn = 0;         // a line that was cut short ends as well: its turn is over
  let said = null;      // kept, or some browsers forget to tell that it has ended

  // Mandarin is not read by a Cantonese voice; Android writes zh_CN.
  function voice() {
    const wanted = language.toLowerCase().split('-');
    const fits = voices.getVoices().filter((each) => {
      const [base, region] = each.lang.toLowerCase().replace(/_/g, '-').replace('cmn', 'zh').replace('-hans', '').split('-');
      return each.localService && base === wanted[0] && !(base === 'zh' && /^(hk|mo)$/.test(region));
    });
    return fits.find((each) => each.lang.toLowerCase().replace('_', '-') === wanted.join('-')) || fits[0];
  }

  function turnTo(name) {
    state = name;
    label.textContent = words[name];
    button.setAttribute('data-state', name);
  }

  function unmark() {
    const marked = document.querySelector('.spoken');
    if (marked) marked.classList.remove('spoken');
  }

  function stop() {
    turn += 1;
    voices.cancel();
    unmark();
    turnTo('off');
  }

  const isSeen = (element) => element.getClientRects().length && element.offsetWidth > 1;
  const text = (element) => element.innerText.replace(/(\d)\s*[—–-]\s*(\d)/g, '$1 ' + button.getAttribute('data-to') + ' $2').trim();

  function lines() {
    return Array.from(document.getElementById('main').querySelectorAll(LINES)).filter((element) =>
      isSeen(element) && !element.closest(SILENT) && !element.querySelector(LINES) && text(element));
  }

  // The first line; among the questions the first below the bar at the top, and with answers their question.
  function start(list) {
    if (!document.body.classList.contains('started')) return 0;
    const top = button.closest('.place').getBoundingClientRect().bottom - 4;
    let at = list.findIndex((element) => element.getBoundingClientRect().top > top);
    while (at > 0 && list[at].classList.contains('card')) at -= 1;
    return Math.max(0, at);
  }

  function say(list, at) {
    unmark();
    if (at >= list.length) {
      turnTo('waiting');
      return;
    }
    if (!isSeen(list[at])) {
      say(list, at + 1);
      return;
    }
    const mine = turn += 1;
    said = new SpeechSynthesisUtterance(text(list[at]));
    said.lang = language;
    said.voice = voice();
    said.rate = elder ? 0.8 : 0.9;
    said.onend = () => { if (mine === turn) say(list, at + 1); };
    said.onerror = () => {
      if (mine !== turn) return;
      stop();
      told.textContent = words.failed;
    };
    list[at].classList.add('spoken');
    list[at].scrollIntoView({ block: 'nearest' });
    voices.speak(said);
  }

  function read() {
    const list = lines();
    voices.cancel();
    told.textContent = '';
    turnTo('speaking');
    say(list, start(list));
  }

  function offer() { button.hidden = !voice(); }

  button.addEventListener('click', () => { if (state === 'speaking') stop(); else read(); });
  document.addEventListener('shown', () => {
    if (state === 'off') return;
    turn += 1;
    voices.cancel();
    unmark();
    const mine = turn;
    setTimeout(() => { if (mine === turn) read(); }, 300); // after the screen reader's word on the new screen
  });
  document.addEventListener('visibilitychange', () => { if (document.hidden) stop(); });
  window.addEventListener('pagehide', stop);
  // Some browsers tell when the voices are there, some do not.
  if (voices.addEventListener) voices.addEventListener('voiceschanged', offer);
  [0, 500, 2000, 5000].forEach((wait) => setTimeout(offer, wait));
}());
