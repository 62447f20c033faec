// The editor: saves as one types, shows what the checks say, lets parts be moved. Every form works
// without it; here the same pages are fetched and put in place.
(function () {
  'use strict';
  if (!window.fetch || !window.DOMParser || !window.FormData) return;

  const PAUSE = 1200;
  const RETRY = 5000;
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);
  const parse = (html) => new DOMParser().parseFromString(html, 'text/html');

  let form = byId('edit');
  let timer = 0;
  let dirty = false;
  let busy = null;
  let leaving = false;

  // --- The state of saving, honestly

  function say(kind, text) {
    const line = byId('saved');
    line.textContent = text;
    line.classList.toggle('bad', kind === 'bad');
  }
  const word = (key) => form.getAttribute('data-' + key);

  function post(address, body) {
    return fetch(address, {
      method: 'POST', credentials: 'same-origin', headers: { Accept: 'text/html' }, body
    }).then((response) => response.text().then((html) => ({
      status: response.status, url: response.url, redirected: response.redirected, page: parse(html)
    })));
  }

  // Of many texts only those that were altered are sent while one types.
  function bodyOf(button, live) {
    const data = new URLSearchParams(new FormData(form));
    if (live && form.hasAttribute('data-sparse') && !form.hasAttribute('data-unsent')) {
      all('textarea', form).forEach((field) => {
        if (field.value !== field.defaultValue) return;
        data.delete(field.name);
        data.delete(byId(field.id.replace(/^f-/, 'seen-')).name);
      });
    }
    if (button && button.name) data.set(button.name, button.value);
    if (live) data.set('_live', '1');
    return data;
  }

  // --- Saving while one types: only marks are renewed, never what is being typed

  function changed() {
    dirty = true;
    say('', word('unsaved'));
    clearTimeout(timer);
    timer = setTimeout(saveLive, PAUSE);
  }

  function saveLive() {
    if (!dirty || !form) return Promise.resolve();
    if (busy) return busy.then(saveLive);
    clearTimeout(timer);
    dirty = false;
    say('', word('saving'));
    busy = post(form.action, bodyOf(null, true)).then((answer) => {
      const fresh = answer.page.getElementById('edit');
      if (answer.status === 409 && fresh) return conflict();
      if (!fresh) {
        dirty = true;
        say('bad', word(answer.redirected ? 'signed-out' : 'failed'));
        return undefined;
      }
      renew(answer.page);
      if (!dirty) say('', fresh.hasAttribute('data-partly') ? word('held') : saved(answer.page));
      tellPreview('saved', answer.page);
      return undefined;
    }, () => {
      dirty = true;
      say('bad', word('failed'));
      timer = setTimeout(saveLive, RETRY);
    }).then(() => { busy = null; });
    return busy;
  }

  const saved = (page) => page.getElementById('saved').textContent;

  function conflict() {
    say('bad', word('conflict') + ' ');
    const look = document.createElement('button');
    look.type = 'submit';
    look.className = 'button secondary';
    look.setAttribute('form', 'edit');
    look.setAttribute('data-native', '');
    look.textContent = word('compare');
    byId('saved').appendChild(look);
  }

  // What is wrong now: the words of the fresh page beside the fields of this one.
  function renew(page) {
    const fresh = page.getElementById('edit');
    form.action = fresh.action;
    form.removeAttribute('data-unsent');
    document.title = page.title;
    all('[data-renew]', page).forEach((part) => {
      const own = byId(part.id);
      if (!own) return;
      if (own.tagName === 'INPUT') own.value = part.value;
      else if (own.innerHTML !== part.innerHTML) own.innerHTML = part.innerHTML;
    });
    renewOutline(page);
    const scope = form.hasAttribute('data-sparse') ? all('.pair', fresh).map(mirror).filter(Boolean) : [form];
    scope.forEach((root) => {
      all('p.error', root).forEach((line) => line.remove());
      all('.invalid', root).forEach((box) => box.classList.remove('invalid'));
      all('textarea', root).forEach((field) => { field.defaultValue = page.getElementById(field.id) ? page.getElementById(field.id).defaultValue : field.defaultValue; });
    });
    all('p.error', fresh).forEach((line) => {
      const place = mirror(line.nextElementSibling) || mirror(line.previousElementSibling);
      if (!place) return;
      const copy = document.importNode(line, true);
      if (mirror(line.nextElementSibling)) place.parentNode.insertBefore(copy, place);
      else place.parentNode.insertBefore(copy, place.nextSibling);
      const box = copy.closest('.field, fieldset');
      if (box) box.classList.add('invalid');
    });
    all('input[id], textarea[id], select[id]', fresh).forEach((field) => {
      const own = byId(field.id);
      if (!own) return;
      ['aria-invalid', 'aria-describedby'].forEach((name) => {
        if (field.hasAttribute(name)) own.setAttribute(name, field.getAttribute(name));
        else own.removeAttribute(name);
      });
    });
  }

  // The same element on this page: by its id, or by the id of the field within it.
  function mirror(element) {
    if (!element) return null;
    if (element.id && byId(element.id)) return byId(element.id);
    const inner = element.querySelector('[id]');
    const own = inner && byId(inner.id);
    if (!own) return null;
    let found = own;
    for (let up = inner; up !== element; up = up.parentNode) found = found.parentNode;
    return found;
  }

  function renewOutline(page) {
    const fresh = page.getElementById('outline');
    const old = byId('outline');
    if (!fresh || !old || old.querySelector('.dragged')) return;
    const focused = document.activeElement && old.contains(document.activeElement) ? document.activeElement.id : '';
    const scroll = old.scrollTop;
    const open = old.querySelector('details').open;
    const copy = document.importNode(fresh, true);
    old.parentNode.replaceChild(copy, old);
    copy.querySelector('details').open = open;
    copy.scrollTop = scroll;
    outfit(copy);
    if (focused && byId(focused)) byId(focused).focus();
  }

  // --- Buttons: the answer's page is put in place of this one, without a jump

  function send(button) {
    clearTimeout(timer);
    const before = busy || Promise.resolve();
    say('', word('saving'));
    const body = () => bodyOf(button, false);
    dirty = false;
    busy = before.then(() => post(form.action, body())).then((answer) => {
      busy = null;
      if (!answer.page.getElementById('edit')) {
        leaving = true;
        location.assign(answer.url);
        return;
      }
      swap(answer, button);
    }, () => {
      busy = null;
      dirty = true;
      say('bad', word('failed'));
    });
    return busy;
  }

  function swap(answer, button) {
    const fresh = answer.page.querySelector('main');
    const old = document.querySelector('main');
    const scroll = window.scrollY;
    const outline = byId('outline') ? byId('outline').scrollTop : 0;
    const same = answer.url.split('#')[0] === location.href.split('#')[0];
    const focused = button && button.id ? button.id : document.activeElement && document.activeElement.id;
    const value = button && button.value;
    const copy = document.importNode(fresh, true);
    tellPreview('swapping', copy);
    old.replaceWith(copy);
    document.title = answer.page.title;
    if (same) history.replaceState(null, '', answer.url.split('#')[0]);
    else history.pushState(null, '', answer.url.split('#')[0]);
    begin();
    if (byId('outline')) byId('outline').scrollTop = outline;
    window.scrollTo(0, same || (value && /^(up|down|place)/.test(value)) ? scroll : 0);
    focusAfter(value, focused, same);
    if (/^(up|down)$/.test(value || '') && byId('place')) announce(byId('place').textContent);
  }

  // Where one goes on: in the new entry, at the entry that moved, at the title of another part.
  function focusAfter(value, focused, same) {
    const adding = /^(options|rows)-(add|several)/.exec(value || '');
    const moving = /^(options|rows)-(up|down):(\d+)$/.exec(value || '');
    if (adding) {
      const entries = all('.entry', byId(adding[1]) ? byId(adding[1]).parentNode : form);
      const last = entries[entries.length - 1];
      if (last) last.querySelector('input[type=text]').focus();
      return;
    }
    if (moving) {
      const to = Number(moving[3]) + (moving[2] === 'up' ? -1 : 1);
      const wanted = form.querySelector('button[value="' + moving[1] + '-' + moving[2] + ':' + to + '"]');
      const other = form.querySelector('button[value="' + moving[1] + '-' + (moving[2] === 'up' ? 'down' : 'up') + ':' + to + '"]');
      if (wanted && !wanted.disabled) wanted.focus();
      else if (other) other.focus();
      announceMove(to + 1, all('.entry', form).length);
      return;
    }
    const again = same && value && form.querySelector('button[value="' + value.replace(/"/g, '') + '"]');
    if (again) again.focus();
    else if (same && focused && byId(focused)) byId(focused).focus({ preventScroll: true });
    else {
      const title = byId('part-title');
      title.tabIndex = -1;
      title.focus({ preventScroll: true });
    }
  }

  // --- Showing only what was chosen

  function modes(root) {
    all('.builder', root).forEach((builder) => {
      const chosen = builder.querySelector('input[type=radio][name$=".mode"]:checked');
      if (!chosen) return;
      all('[data-mode]', builder).forEach((box) => {
        box.hidden = box.getAttribute('data-mode').split(',').indexOf(chosen.value) < 0;
      });
    });
  }

  // --- Conditions: the answers follow the question; lines come when they are wanted

  function builders(root) {
    const data = byId('choices');
    const choices = data ? JSON.parse(data.textContent) : {};
    all('.builder', root).forEach((builder) => {
      const rows = all('[data-row]', builder);
      if (!rows.length) return;
      const more = document.createElement('button');
      more.type = 'button';
      more.className = 'button plain';
      more.textContent = '＋ ' + builder.getAttribute('data-another');
      more.addEventListener('click', () => {
        const blank = rows.find((row) => row.hidden);
        if (!blank) return;
        blank.hidden = false;
        blank.querySelector('select').focus();
        tidy();
      });
      const joins = builder.querySelector('.joins');
      joins.parentNode.insertBefore(more, joins);
      const filled = (row) => Boolean(row.querySelector('select').value);
      const tidy = () => {
        more.hidden = !rows.some((row) => row.hidden) || !rows.some(filled);
        joins.hidden = rows.filter(filled).length < 2;
      };
      rows.forEach((row, at) => {
        row.hidden = at > 0 && !filled(row);
        row.querySelector('select').addEventListener('change', () => {
          fit(row, choices, builder.getAttribute('data-choose'));
          tidy();
        });
      });
      tidy();
    });
  }

  function fit(row, choices, please) {
    const [variable, op] = all('select', row);
    const choice = choices[variable.value];
    const old = row.querySelector('[name$=".value"]');
    const sized = choice && choice.kind === 'integer';
    all('option', op).forEach((option) => {
      option.hidden = option.disabled = /^at_/.test(option.value) && !sized;
      if (option.disabled && option.selected) op.value = 'is';
    });
    let fresh = document.createElement('input');
    fresh.type = 'text';
    if (choice && choice.options.length) {
      fresh = document.createElement('select');
      [['', please]].concat(choice.options).forEach((pair) => {
        const option = document.createElement('option');
        option.value = pair[0];
        option.textContent = pair[1];
        if (pair[2]) option.lang = pair[2];
        fresh.appendChild(option);
      });
    }
    fresh.id = old.id;
    fresh.name = old.name;
    old.replaceWith(fresh);
  }

  // A line without its answer is not half of a condition: it waits.
  function waits(target) {
    const row = target.closest('[data-row]');
    const variable = row && row.querySelector('select');
    if (!variable || !variable.value) return false;
    const value = row.querySelector('[name$=".value"]').value;
    return !value && row.querySelector('[name$=".op"]').value !== 'answered';
  }

  // --- Moving parts in the outline: by arrow keys on the grip, or by dragging it

  function outfit(nav) {
    if (!form) return;
    all('.grip', nav).forEach((grip) => {
      grip.hidden = false;
      grip.draggable = true;
      grip.addEventListener('keydown', (event) => {
        const by = { ArrowUp: 'up', ArrowDown: 'down' }[event.key];
        if (!by) return;
        event.preventDefault();
        arrange(grip, by);
      });
      grip.addEventListener('dragstart', (event) => {
        grip.closest('li').classList.add('dragged');
        event.dataTransfer.effectAllowed = 'move';
        event.dataTransfer.setData('text/plain', grip.getAttribute('data-key'));
      });
      grip.addEventListener('dragend', () => {
        all('.dragged, .drop-before, .drop-after', byId('outline')).forEach((each) => {
          each.classList.remove('dragged', 'drop-before', 'drop-after');
        });
      });
    });
    nav.addEventListener('dragover', (event) => {
      const place = placeOf(event, nav);
      all('.drop-before, .drop-after', nav).forEach((each) => each.classList.remove('drop-before', 'drop-after'));
      if (!place) return;
      event.preventDefault();
      place.item.classList.add(place.after ? 'drop-after' : 'drop-before');
    });
    nav.addEventListener('drop', (event) => {
      const place = placeOf(event, nav);
      const dragged = nav.querySelector('.dragged');
      if (!place || !dragged) return;
      event.preventDefault();
      const index = Number(place.item.getAttribute('data-index')) + (place.after ? 1 : 0);
      const section = place.item.parentNode.getAttribute('data-section');
      const grip = dragged.querySelector('.grip');
      dragged.classList.remove('dragged');
      arrange(grip, 'place:' + (section === null ? index : section + '.' + index));
    });
  }

  function placeOf(event, nav) {
    const dragged = nav.querySelector('.dragged');
    if (!dragged) return null;
    const list = dragged.parentNode.hasAttribute('data-section') ? '.questions > li' : '.sections > li';
    const item = event.target.closest && event.target.closest(list);
    if (!item || item === dragged) return null;
    const box = item.getBoundingClientRect();
    return { item, after: event.clientY > box.top + box.height / 2 };
  }

  function arrange(grip, what) {
    const kind = grip.getAttribute('data-kind');
    const id = grip.id;
    const token = document.querySelector('input[name=csrf_token]').value;
    const address = grip.parentNode.querySelector('a').href;
    const first = form ? saveLive() : Promise.resolve();
    return first.then(() => post(address, new URLSearchParams([['csrf_token', token], ['_do', what]]))).then((answer) => {
      if (!answer.page.getElementById('outline')) throw new Error('no outline');
      renewOutline(answer.page);
      const moved = byId(id);
      if (moved) moved.focus();
      const item = moved && moved.closest('li');
      if (item) {
        const list = all(':scope > li', item.parentNode);
        announceMove(list.indexOf(item) + 1, list.length);
      }
      const here = byId('outline').querySelector('[aria-current]');
      if (kind && form && !here) markCurrent();
      tellPreview('saved', answer.page);
    }).catch(() => say('bad', word('failed')));
  }

  // To screen readers; a little later, so that a line that has just come is heard as well.
  function announce(text) {
    setTimeout(() => { byId('moved').textContent = text; }, 150);
  }

  function announceMove(place, count) {
    announce(form.getAttribute('data-moved').replace('%(place)s', place).replace('%(count)s', count));
  }

  // The fetched outline marks the part that moved; the one that is open is this page's.
  function markCurrent() {
    all('a', byId('outline')).forEach((link) => {
      if (link.href === form.action) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    });
  }

  // preview.js listens.
  function tellPreview(what, page) {
    document.dispatchEvent(new CustomEvent(what, { detail: page }));
  }

  // --- Events

  document.addEventListener('submit', (event) => {
    const button = event.submitter;
    if (event.target !== form) {
      if (form && (dirty || busy)) { // what was typed a moment ago goes first
        event.preventDefault();
        (dirty ? saveLive() : busy).then(() => {
          event.target.removeAttribute('data-sent');
          if (!dirty) event.target.requestSubmit(button);
        });
        return;
      }
      leaving = true;
      return;
    }
    if (button && (button.hasAttribute('data-native') || !button.closest('main'))) {
      leaving = true;
      return;
    }
    event.preventDefault();
    form.removeAttribute('data-sent');
    send(button);
  }, true);

  document.addEventListener('input', (event) => {
    if (!form || !form.contains(event.target)) return;
    if (event.target.hasAttribute('data-late') || event.target.hasAttribute('data-reload')) return;
    if (/^several\./.test(event.target.name)) return;
    modes(form);
    if (waits(event.target)) {
      dirty = true;
      say('', word('unsaved'));
      return;
    }
    changed();
  });
  document.addEventListener('change', (event) => {
    if (!form || !form.contains(event.target)) return;
    if (event.target.hasAttribute('data-late') || event.target.hasAttribute('data-reload')) send(null);
  });

  // The translation of the same words elsewhere.
  document.addEventListener('click', (event) => {
    const button = event.target.closest && event.target.closest('[data-take]');
    if (!button) return;
    const field = byId(button.getAttribute('data-for'));
    field.value = button.getAttribute('data-take');
    field.focus();
    changed();
  });

  // Enter in an answer makes the next one, as in a list of a word processor.
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing || event.target.tagName !== 'INPUT' || !form || !form.contains(event.target)) return;
    const entry = event.target.closest('.entry');
    const list = entry && /^(options|rows|\d)/.exec(event.target.name);
    event.preventDefault();
    if (!list) { saveLive(); return; }
    const button = form.querySelector('button[value="' + (list[1] === 'rows' ? 'rows' : 'options') + '-add"]');
    if (button) send(button);
  });

  window.addEventListener('beforeunload', (event) => {
    if (leaving || (!dirty && !busy)) return;
    event.preventDefault();
    event.returnValue = '';
  });
  document.addEventListener('visibilitychange', () => { if (document.hidden) saveLive(); });
  window.addEventListener('online', saveLive);
  window.addEventListener('popstate', () => { leaving = true; location.reload(); });

  // A link away first saves what was typed.
  document.addEventListener('click', (event) => {
    const link = event.target.closest && event.target.closest('a[href]');
    if (!link || !dirty || link.target || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    saveLive().then(() => {
      if (dirty) return;
      leaving = true;
      location.assign(link.href);
    });
  });

  function begin() {
    form = byId('edit');
    dirty = false;
    leaving = false;
    const outline = byId('outline');
    if (outline) {
      outline.querySelector('details').open = window.matchMedia('(min-width: 64em)').matches;
      outfit(outline);
    }
    if (form) {
      all('[data-take]', form).forEach((button) => { button.hidden = false; });
      modes(form);
      builders(form);
      // Shown again in another language, as it was typed.
      if (form.hasAttribute('data-unsent')) changed();
    }
  }
  begin();
})();
