// A questionnaire that is only tried out. It stands where sending.js stands else: nothing is stored on the
// device and nothing is saved in between; the form itself is posted, and the server shows it again or says
// what would have been sent. In the frame beside the editor what was filled in waits at the frame while the
// page is fetched anew after a save; there it ends with the editor's page.
(function () {
  'use strict';

  const filled = (text, values) => text.replace(/%\((\w+)\)s/g, (_all, name) => values[name]);
  const frame = window.frameElement;
  const banner = document.querySelector('.trial');
  const byId = (id) => document.getElementById(id);
  document.documentElement.classList.toggle('framed', Boolean(frame));

  if (frame) {
    document.addEventListener('click', (event) => {
      const link = event.target.closest('a[href]');
      if (!link) return;
      // A page that may not stand in the frame
      if (link.pathname !== location.pathname) link.target = '_blank';
      if (link.hasAttribute('data-anew')) frame.answers = null;
    });
  }

  // The address names the question that is being edited as `#at-…`, of which no element has the name: a
  // browser that finds one scrolls all frames and takes the focus from who types in the editor. Only while
  // respond.js begins it stands there as respond.js knows it.
  const place = /^#at-/.test(location.hash) ? location.hash.slice(4) : '';
  if (place) history.replaceState(null, '', '#' + place);

  // Before respond.js looks for the first time: what it then shows needs no second look, which would take
  // the focus too.
  function fill(form, answers) {
    Array.from(form.elements).forEach((input) => {
      const given = answers[input.name];
      if (!given) return;
      if (/^(radio|checkbox)$/.test(input.type)) input.checked = given.indexOf(input.value) >= 0;
      else input.value = given[0];
    });
  }

  // What sticks below the banner begins where that ends, however much it has to say.
  function fit() {
    document.documentElement.style.setProperty('--covered', banner.offsetHeight + 'px');
  }

  // To the question that is being edited; nothing but this frame is scrolled.
  function turnTo(id) {
    const element = byId(id);
    const question = element && element.closest('.question');
    if (!question) return;
    byId('unasked').hidden = !question.hidden;
    fit();
    if (question.hidden) return;
    question.classList.add('edited');
    const covered = banner.offsetHeight + document.querySelector('.place').offsetHeight;
    window.scrollTo(0, question.getBoundingClientRect().top + window.pageYOffset - covered - 8);
  }

  function begin(page) {
    const form = page.form;
    const post = (doing) => {
      const wish = document.createElement('input');
      wish.type = 'hidden';
      wish.name = '_do';
      wish.value = doing;
      form.appendChild(wish);
      form.submit();
    };
    if (frame) {
      frame.read = page.answers;
      window.addEventListener('pagehide', () => { frame.answers = page.answers(); });
    }
    fit();
    if (window.ResizeObserver) new ResizeObserver(fit).observe(banner);
    else window.addEventListener('resize', fit);
    if (place) history.replaceState(history.state, '', '#at-' + place);
    if (place) turnTo(place);
    return {
      save: () => Promise.resolve(),
      changed: () => { /* nothing is kept */ },
      send: () => post('send'),
      leave: post,
      isBusy: () => false
    };
  }

  const form = byId('answers');
  if (frame && frame.answers && byId('rules')) fill(form, frame.answers);
  window.cixi = { begin, filled };
}());
