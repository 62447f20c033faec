// What stays on this phone while somebody answers, and the way of the answers to the server.
// One copy of the answers in localStorage, and the empty form with its files in a cache for worker.js, both
// by the address of the questionnaire. Both go once the server has the answers or has refused them for
// good; what an earlier visitor left of a survey that is over goes by itself.
(function () {
  'use strict';

  const DAY = 24 * 3600 * 1000;
  const PATIENCE = 30 * 1000; // for one request
  const FIRST_PAUSE = 5;      // seconds until the second attempt
  const LONGEST_PAUSE = 300;
  const path = location.pathname.replace(/\/+$/, '');
  const door = path.indexOf('/i/') ? path : '/i/' + path.slice(3).toUpperCase().replace(/[^0-9A-Z]/g, '');
  const key = 'cixi ' + door;
  const isOld = (until) => !(until + DAY > Date.now());
  let gone = false;           // received or refused: nothing may stay or come back

  // --- The copy: {answers, revision, ticket, section, saved, send, unsure, stamp, until}

  function read(name) {
    try { return JSON.parse(localStorage.getItem(name)); } catch (unreadable) { return null; }
  }
  function write(copy) {
    try { localStorage.setItem(key, JSON.stringify(copy)); } catch (full) { return false; }
    return true;
  }
  function canWrite() {
    try {
      localStorage.setItem('cixi', '');
      localStorage.removeItem('cixi');
    } catch (forbidden) { return false; }
    return true;
  }
  function drop(name) {
    try { localStorage.removeItem(name); } catch (forbidden) { /* then there is none */ }
  }
  // Where a browser refuses to keep anything, even asking may be a fault
  function canKeepForm() {
    try { return Boolean(navigator.serviceWorker && window.caches); } catch (forbidden) { return false; }
  }
  function forget() {
    gone = true;
    drop(key);
    return canKeepForm() ? caches.delete(key).catch(() => false) : Promise.resolve();
  }
  function dropOld() {
    let names = [];
    try { names = Object.keys(localStorage); } catch (forbidden) { /* then there is none */ }
    names.filter((name) => name.indexOf('cixi /') === 0 && name !== key).forEach((name) => {
      const copy = read(name);
      if (!copy || isOld(copy.until)) drop(name);
    });
  }

  // --- The empty form: worker.js shows it when there is no network

  const CLOSES = 'Survey-Closes';

  function keepForm(page) {
    const named = Array.from(document.querySelectorAll('link[rel=stylesheet], script[src]'))
      .map((element) => element.href || element.src);
    // Files that are loaded only when they are needed
    const spare = Array.from(page.attributes).filter((each) => each.value.indexOf('/static/') === 0)
      .map((each) => location.origin + each.value);
    const files = named.concat(spare).filter((file, at, all) => all.indexOf(file) === at);
    return navigator.serviceWorker.register('/worker.js', { scope: door.slice(0, 3) })
      .then(() => gone ? Promise.reject(new Error('too late')) : caches.open(key))
      .then((cache) => Promise.all(files.map((file) => cache.match(file).then((hit) => hit || cache.add(file))))
        .then(() => cache.match(door))
        .then(fetchForm)
        .then((form) => form && cache.put(door, form))
        .then(() => cache.keys())
        .then((kept) => Promise.all(kept
          .filter((each) => each.url !== location.origin + door && files.indexOf(each.url) < 0)
          .map((each) => cache.delete(each)))))
      .then(() => caches.keys())
      .then((names) => Promise.all(names.filter((name) => name.indexOf('cixi /') === 0).map(dropOldForm)));
  }

  // Nothing comes when the one that is kept is still the right one.
  function fetchForm(kept) {
    const headers = kept ? { 'If-None-Match': kept.headers.get('ETag') } : {};
    return fetch(path + '?empty', { credentials: 'same-origin', headers: headers }).then((response) => {
      if (response.status === 304) return null;
      if (!response.ok || !response.headers.has(CLOSES)) throw new Error('no form');
      return response;
    });
  }

  function dropOldForm(name) {
    return caches.match(name.slice(5), { cacheName: name }).then((form) => {
      const fits = name === key || (form && !isOld(Number(form.headers.get(CLOSES))));
      return fits || caches.delete(name);
    });
  }

  // --- Sets of answers: {name: [texts]}

  function canonical(answers) {
    const plain = (text) => text.replace(/\r\n?/g, '\n');
    return JSON.stringify(Object.keys(answers).sort().map((name) => [name, answers[name].map(plain)]));
  }
  const same = (one, other) => canonical(one) === canonical(other);
  function digest(answers) {
    const text = canonical(answers);
    let sum = 0;
    for (let at = 0; at < text.length; at += 1) sum = (sum * 31 + text.charCodeAt(at)) | 0;
    return sum;
  }

  // --- To the server

  // Resolves with what the site itself said. All else (no network, the sign-in page of some wireless
  // network, a proxy without its server) is a failure that may pass.
  function post(where, body, keepalive) {
    const asked = fetch(where, {
      method: 'POST', credentials: 'same-origin', keepalive: Boolean(keepalive),
      headers: { Accept: 'application/json' }, body: body
    }).then((response) => response.json().then((said) => {
      const ours = said.error || said.receipt || said.revision || said.anew || said.goodbye || said.kept === false;
      if (!ours) throw new Error('not ours');
      return { status: response.status, body: said };
    }));
    const limit = new Promise((_resolve, reject) => setTimeout(reject, PATIENCE, new Error('slow')));
    return Promise.race([asked, limit]);
  }

  const comesLater = (answer) => answer.status === 429 || answer.status >= 500;
  const isFinal = (answer) =>
    answer.status === 410 || (answer.status === 409 && answer.body.error !== 'stale_draft');
  const sentence = (body) => [body.message, body.cure].filter(Boolean).join(' ');
  const filled = (text, values) => text.replace(/%\((\w+)\)s/g, (_all, name) => values[name]);

  // page: form, texts, answers(onlyAsked), fill(answers), open(section), say(kind, title, text), tell(problems)
  function begin(page) {
    const texts = page.texts;
    const form = page.form;
    const byId = (id) => document.getElementById(id);
    const hidden = (name) => form.elements[name];
    const sendButton = byId('finish').querySelector('button');
    const address = location.pathname + location.search;
    const draftAddress = path + '/draft' + location.search;
    const ownTicket = hidden('_ticket').value;

    let dirty = false;        // something is not on the server yet
    let busy = null;          // the save under way
    let attempt = null;       // the sending under way
    let sending = false;      // the button was pressed
    let ended = false;        // received, or refused for good
    let halted = false;       // two versions: the person must choose first
    let unchosen = null;      // of these, that of this page
    let stamp = '';           // of the copy that this page wrote or took up: another is of another window
    let nothing = false;      // of these answers nothing is kept
    let complaint = '';       // what the server had against the last draft: told once
    let unsure = [];          // digests of what was posted without an answer: it may have arrived
    let pause = FIRST_PAUSE;
    let retry = 0;
    let later = 0;

    const isKept = () => form.hasAttribute('data-kept');
    const isBusy = () => halted || sending || ended;
    // What is not on the server yet is told beside the steps, where it is seen
    const status = (text, unkept) => {
      const box = unkept ? form.querySelector('.bar-below') : byId('comforts');
      if (byId('kept').parentNode !== box) box.insertBefore(byId('kept'), box.firstChild);
      byId('kept').textContent = unkept || text;
    };

    function keep() {
      const there = read(key);
      const mine = page.answers();
      if (there && there.stamp !== stamp && !sending && !same(there.answers, mine)) {
        choose(there.revision, there.answers, mine, texts.window);
        return true;
      }
      stamp = String(Math.random());
      return write({
        answers: mine, revision: Number(hidden('_revision').value), ticket: hidden('_ticket').value,
        section: hidden('_section').value, saved: !dirty, send: sending, unsure: unsure, stamp: stamp,
        until: Number(form.getAttribute('data-until'))
      });
    }

    // The copy beside the page, which may be older (back in the browser) or newer (another phone).
    function takeUp(copy) {
      const revision = Number(hidden('_revision').value);
      const here = page.answers();
      stamp = copy.stamp;
      if (revision > copy.revision && copy.unsure.indexOf(digest(here)) < 0 && !copy.send) {
        if (!copy.saved && !same(copy.answers, here)) choose(revision, here, copy.answers, texts.onphone);
        return;
      }
      hidden('_ticket').value = copy.ticket;
      hidden('_revision').value = Math.max(revision, copy.revision);
      unsure = copy.unsure;
      dirty = !copy.saved;
      if (same(copy.answers, here)) return;
      page.fill(copy.answers);
      page.open(copy.section);
      byId('anew').hidden = false;
    }

    // Twice at most: an old token is exchanged for the new one that comes with the refusal.
    function postForm(where, keepalive, doing) {
      const once = () => {
        const body = new URLSearchParams(new FormData(form));
        if (doing) body.set('_do', doing);
        return post(where, body, keepalive);
      };
      return once().then((answer) => {
        if (answer.status !== 400 || !answer.body.csrf_token) return answer;
        hidden('csrf_token').value = answer.body.csrf_token;
        hidden('_ticket').value = answer.body.ticket;
        return once();
      });
    }

    function retryLater(act) {
      const seconds = pause;
      clearTimeout(retry);
      // Not all phones at once when a server comes back
      retry = setTimeout(act, seconds * 1000 * (0.8 + 0.4 * Math.random()));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
      return seconds;
    }

    // --- Drafts

    function remain() {
      dirty = true;
      status('', keep() ? texts.unkept : texts.unsafe);
    }

    function save(keepalive) {
      if (!dirty || isBusy()) return Promise.resolve();
      if (busy) return busy.then(() => save(keepalive));
      const earlier = unsure;
      let again = false;
      unsure = unsure.concat(digest(page.answers(true))).slice(-50);
      keep();
      if (halted) return Promise.resolve();
      dirty = false;
      busy = postForm(draftAddress, keepalive).then((answer) => {
        if (answer.status === 200) {
          hidden('_revision').value = answer.body.revision;
          unsure = [];
          complaint = '';
          pause = FIRST_PAUSE;
          if (isKept()) byId('told').textContent = '';
          form.removeAttribute('data-kept');
          nothing = answer.body.kept === false;
          if (nothing) { // of children and who declines nothing is kept, here neither
            status('');
            drop(key);
            return;
          }
          status(texts.kept);
          keep();
        } else if (answer.body.error === 'stale_draft') {
          // Perhaps our own, of which only the acknowledgement was lost
          again = earlier.indexOf(digest(answer.body.answers)) >= 0;
          if (again) hidden('_revision').value = answer.body.revision;
          else choose(answer.body.revision, answer.body.answers, page.answers(), answer.body.message);
        } else if (isFinal(answer)) {
          refuse(answer.body);
        } else if (comesLater(answer)) {
          throw new Error('later');
        } else {
          remain();
          if (complaint !== sentence(answer.body)) page.say('error', answer.body.title, sentence(answer.body));
          complaint = sentence(answer.body);
        }
      }).catch(() => {
        remain();
        retryLater(save);
      }).then(() => {
        busy = null;
        dirty = dirty || again;
        return again && save();
      });
      return busy;
    }

    function changed() {
      dirty = true;
      if (!keep()) status('', texts.unsafe);
      clearTimeout(later);
      later = setTimeout(save, 3000);
    }

    // Two versions, and the person chooses; ``revision`` is that of theirs
    function choose(revision, theirs, mine, message) {
      unchosen = mine;
      const panel = byId('conflict');
      const buttons = panel.querySelectorAll('button');
      const decide = (answers) => {
        const there = read(key);
        stamp = there ? there.stamp : '';
        halted = false;
        panel.hidden = true;
        form.hidden = false;
        hidden('_revision').value = revision;
        page.fill(answers);
        page.open(hidden('_section').value);
        dirty = true;
        save();
      };
      halted = true;
      form.hidden = true;
      panel.hidden = false;
      panel.querySelector('[data-text]').textContent = message;
      [['mine', mine], ['theirs', theirs]].forEach(([whose, answers]) => {
        panel.querySelector('[data-' + whose + ']').textContent = filled(texts.given, { count: Object.keys(answers).length });
      });
      buttons[0].onclick = () => decide(mine);
      buttons[1].onclick = () => decide(theirs);
      panel.querySelector('h2').focus();
    }

    // --- Sending, once, also when the network is away

    function send() {
      if (isBusy()) return;
      clearTimeout(later);
      clearTimeout(retry);
      pause = FIRST_PAUSE;
      sending = true;
      sendButton.setAttribute('aria-disabled', 'true');
      (busy || Promise.resolve()).then(deliver);
    }

    function deliver() {
      if (attempt || !sending || ended) return;
      clearTimeout(retry);
      const safe = keep();
      byId('waiting').querySelector('[role=status]').textContent = texts.trying;
      attempt = postForm(address).then((answer) => {
        if (answer.status === 200) receive(answer.body);
        else if (comesLater(answer)) wait(safe);
        else if (isFinal(answer)) refuse(answer.body);
        else mend(answer.body);
      }, () => wait(safe)).then(() => { attempt = null; });
    }

    function wait(safe) {
      const panel = byId('waiting');
      const seconds = retryLater(deliver);
      const minutes = Math.round(seconds / 60);
      panel.querySelector('h2').textContent = safe ? texts.waiting : texts.unsent;
      panel.querySelector('[data-text]').textContent = safe ? texts.onlyhere : texts.unsafe;
      panel.querySelector('[role=status]').textContent =
        seconds < 90 ? filled(texts.again, { seconds }) : filled(texts.aftersome, { minutes });
      if (!panel.hidden) return;
      panel.hidden = false;
      form.hidden = true;
      byId('told').textContent = '';
      panel.querySelector('h2').focus();
    }

    function mend(body) {
      sending = false;
      sendButton.removeAttribute('aria-disabled');
      byId('waiting').hidden = true;
      form.hidden = false;
      dirty = true;
      keep();
      if (body.problems && body.problems.length) page.tell(body.problems);
      else page.say('error', body.title, sentence(body));
    }

    // The receipt may fail to load on a bad network: the good news does not wait for it.
    function receive(body) {
      if (body.goodbye) {
        end(body.title, body.message + ' ' + texts.removed);
        forget().then(() => location.replace(body.goodbye));
        return;
      }
      remember(body.receipt);
      end(texts.received, filled(texts.receipt, body), body.receipt);
      forget().then(() => location.replace(body.receipt));
    }

    // Some browsers run an old page again when one goes back to it, without asking the server.
    function remember(receipt) {
      try {
        [ownTicket, hidden('_ticket').value].forEach((ticket) => sessionStorage.setItem('cixi ' + ticket, receipt));
      } catch (forbidden) { /* then the server says that it has come already */ }
    }
    function receiptBefore() {
      try { return sessionStorage.getItem('cixi ' + ownTicket); } catch (forbidden) { return null; }
    }

    function refuse(body) {
      end(body.title, sentence(body) + ' ' + texts.removed, body.receipt);
    }

    function end(title, text, receipt) {
      const panel = byId('end');
      const link = panel.querySelector('a');
      ended = true;
      forget();
      if (receipt) link.href = receipt;
      if (receipt) link.textContent = texts.see;
      panel.querySelector('h2').textContent = title;
      panel.querySelector('p').textContent = text;
      ['waiting', 'conflict', 'answers', 'anew'].forEach((id) => { byId(id).hidden = true; });
      byId('told').textContent = '';
      panel.hidden = false;
      panel.querySelector('h2').focus();
    }

    // --- Leaving the page: in another language or size, or to go on later

    // Without a network the draft stays on the server, where only its ticket finds it
    function beginAnew() {
      if (isBusy() || !window.confirm(texts.sure)) return;
      clearTimeout(later);
      ended = true;
      drop(key);
      (busy || Promise.resolve()).then(() => postForm(address, false, 'anew'))
        .then((answer) => location.replace(answer.body.anew || address), () => location.reload());
    }

    function leave(doing) {
      const [what, value] = doing.split(':');
      if (what === 'anew') return beginAnew();
      const go = () => {
        const query = new URLSearchParams(location.search);
        query.delete('saved');
        query.set(what, value);
        location.assign(location.pathname + '?' + query + location.hash);
      };
      clearTimeout(later);
      if (what !== 'save' && halted && setAside()) return go();
      if (what !== 'save' && !dirty && !Object.keys(page.answers()).length) return go(); // nothing to keep
      dirty = true;
      return save().then(() => {
        if (halted || sending) return;
        if (dirty && !ended && !(complaint && what !== 'save' && keep())) {
          page.say('warning', texts.unsent, keep() ? texts.offline : texts.unsafe);
        } else if (what === 'save') {
          page.say(nothing ? 'warning' : 'success', nothing ? texts.unsent : texts.saved, nothing ? texts.nothing : texts.comeback);
        } else {
          go();
        }
      });
    }

    // The version of this page, for the page in another language or size: there the person is asked again
    function setAside() {
      try { sessionStorage.setItem('cixi aside ' + door, JSON.stringify(unchosen)); } catch (forbidden) { return false; }
      return true;
    }
    function takeAside() {
      try {
        const aside = JSON.parse(sessionStorage.getItem('cixi aside ' + door));
        sessionStorage.removeItem('cixi aside ' + door);
        return aside;
      } catch (forbidden) { return null; }
    }

    // --- The form without a network; a browser that cannot keep it stays as it is

    function tellStays(text) {
      byId('stays').textContent = text;
      byId('stays').hidden = false;
    }
    function offline() {
      if (!form.hasAttribute('data-offline') || !canKeepForm()) return;
      keepForm(form).then(() => tellStays(texts.ready), () => { /* a comfort: the page works without it */ });
    }

    // --- When the network, the window or the page comes back

    function atOnce() {
      const copy = read(key);
      if (copy && copy.stamp !== stamp && !dirty && !busy && !isBusy()) takeUp(copy);
      pause = FIRST_PAUSE;
      if (sending) deliver();
      else if (isKept() && !copy && !Object.keys(page.answers()).length) location.reload(); // for what the server has
      else save();
    }
    byId('waiting').querySelector('button').addEventListener('click', deliver);
    window.addEventListener('online', atOnce);
    document.addEventListener('visibilitychange', () => { if (document.hidden) save(true); else atOnce(); });
    window.addEventListener('pagehide', () => save(true));
    // Back in the browser: never a reload that a dead network would turn into an empty page
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) atOnce();
    });

    const receipt = receiptBefore();
    const copy = read(key);
    if (receipt) {
      end(texts.received, '', receipt);
    } else {
      const aside = takeAside();
      if (copy) takeUp(copy);
      if (aside && !halted && !same(aside, page.answers())) choose(hidden('_revision').value, page.answers(), aside, texts.window);
      const safe = canWrite();
      if (safe) tellStays(texts.copied);
      if (!halted && Object.keys(page.answers()).length) keep();
      if (isKept()) page.say('warning', texts.noline, safe ? texts.goon : texts.unsafe);
      if (copy && copy.send) {
        sending = true;
        deliver();
      } else {
        save();
      }
      window.addEventListener('load', () => setTimeout(offline, 500));
    }
    return { save, changed, send, leave, isBusy };
  }

  // A door that is shut now. What was sent through it while it was open may have its receipt, although the
  // word of that was lost; else nothing stays on this phone.
  function leaveShut(shut) {
    const copy = read(key);
    if (!copy) return;
    const remove = () => {
      forget();
      shut.hidden = false;
    };
    if (!copy.send) {
      remove();
      return;
    }
    const body = new URLSearchParams([['csrf_token', shut.getAttribute('data-token')], ['_ticket', copy.ticket]]);
    Object.keys(copy.answers).forEach((name) => copy.answers[name].forEach((text) => body.append(name, text)));
    post(path, body).then((answer) => {
      if (answer.status === 200) {
        forget().then(() => location.replace(answer.body.receipt));
      } else if (isFinal(answer)) {
        remove();
      }
    }, () => { /* no network: it stays for the next time */ });
  }

  dropOld();
  const shut = document.getElementById('shut');
  if (shut && window.fetch) leaveShut(shut);
  window.cixi = { begin: begin, filled: filled };
}());
