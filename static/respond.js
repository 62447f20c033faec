// The questionnaire step by step: conditions, problems, the way through it. Everything here is a comfort:
// without it the page is one long form, and the server judges every answer again anyway.
// Loaded before it: sending.js and review.js (the check before sending).
(function () {
  'use strict';

  // --- Conditions: the trees that the server evaluates too (questionnaire/expressions.py)

  const NUMBER = /^-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/;
  const asText = (value) => value == null ? '' : Array.isArray(value) ? value.join(' ') : String(value);
  const words = (text) => text.split(/\s+/).filter(Boolean);
  const isTrue = (value) => typeof value === 'number' ? value !== 0 && value === value : Boolean(value);

  function asNumber(value) {
    if (typeof value !== 'string') return Number(value);
    const text = value.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
    return NUMBER.test(text) ? Number(text) : NaN;
  }

  function equal(a, b) {
    if (typeof a === 'boolean' || typeof b === 'boolean') return isTrue(a) === isTrue(b);
    if (typeof a === 'number' || typeof b === 'number') return asNumber(a) === asNumber(b);
    return a === b;
  }

  const OPERATIONS = {
    '=': equal,
    '!=': (a, b) => !equal(a, b),
    '<': (a, b) => asNumber(a) < asNumber(b),
    '<=': (a, b) => asNumber(a) <= asNumber(b),
    '>': (a, b) => asNumber(a) > asNumber(b),
    '>=': (a, b) => asNumber(a) >= asNumber(b),
    '+': (a, b) => asNumber(a) + asNumber(b),
    '-': (a, b) => asNumber(a) - asNumber(b),
    '*': (a, b) => asNumber(a) * asNumber(b),
    'div': (a, b) => asNumber(a) / asNumber(b),
    'mod': (a, b) => asNumber(a) % asNumber(b),
    'neg': (a) => -asNumber(a),
    'not': (a) => !isTrue(a),
    'selected': (a, value) => words(a).indexOf(value) >= 0,
    'count-selected': (a) => words(a).length,
    'string-length': (a) => Array.from(a).length,
    'regex': (a, pattern) => new RegExp('^(?:' + pattern + ')$', 'u').test(a)
  };

  function evaluate(tree, values, current) {
    if (!Array.isArray(tree)) return tree;
    const name = tree[0];
    if (name === 'ref') return asText(values[tree[1]]);
    if (name === 'this') return asText(current);
    const operands = tree.slice(1);
    if (name === 'and') return operands.every((each) => isTrue(evaluate(each, values, current)));
    if (name === 'or') return operands.some((each) => isTrue(evaluate(each, values, current)));
    return OPERATIONS[name].apply(null, operands.map((each) => evaluate(each, values, current)));
  }

  const cixi = window.cixi || {}; // sending.js, which may have been lost on the way
  cixi.evaluate = evaluate;

  const form = document.getElementById('answers');
  if (!form || !cixi.begin || !window.fetch || !window.URLSearchParams) return;
  if (new URLSearchParams([['pairs', 'yes']]).get('pairs') !== 'yes') return; // browsers before 2017

  // --- The page

  const byId = (id) => document.getElementById(id);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const rules = JSON.parse(byId('rules').textContent);
  const texts = rules.texts;
  const hidden = (name) => form.elements[name];
  const told = byId('told');
  const progress = byId('progress');
  const bar = progress.querySelector('progress');
  const above = progress.closest('.place');
  const review = byId('part-review');
  const ending = byId('part-ending');
  const finish = byId('finish');
  const steps = byId('steps');
  const below = steps.closest('.bar-below');
  const [backButton, nextButton] = all('button', steps);
  const sendButton = finish.querySelector('button');
  const keepButton = byId('comforts').querySelector('button');
  const onward = byId('onward');
  const view = byId('view');
  const oneButton = view.querySelector('button');
  const filled = cixi.filled;
  const title = document.title;
  const elder = document.documentElement.hasAttribute('data-elder');
  const parts = all('.part', form).filter((part) => part !== review && part !== ending);
  const questions = all('.question', form).map((element) => {
    const inputs = all('[name]', element);
    const names = inputs.map((input) => input.name).filter((name, at, list) => list.indexOf(name) === at);
    return { element, inputs, names, part: element.closest('.part') };
  });
  const inputsOf = {};
  questions.forEach((question) => question.inputs.forEach((input) => {
    (inputsOf[input.name] = inputsOf[input.name] || []).push(input);
  }));
  const items = [];   // what is asked one by one: each question, and each row of a grid
  questions.forEach((question) => {
    const rows = all('.grid > fieldset', question.element);
    (rows.length ? rows : [question.element]).forEach((element, at) => {
      items.push({ element, question, part: question.part, name: question.names[at] });
    });
  });

  let here = { id: parts[0].id, part: parts[0] };   // the stop on the screen
  let oneByOne = elder || remembered() === 'one';
  let checking = false;     // a single answer is being changed; then back to the check
  let changed = '';         // which
  let sender = null;        // of sending.js: saves and sends

  // --- Judging, as questionnaire/answers.py does

  function read(name) {
    return inputsOf[name]
      .filter((input) => input.checked || !/^(radio|checkbox)$/.test(input.type))
      .map((input) => input.value).filter((value) => value.trim());
  }

  const SPELLED = ' 一二三四五六七八九十';

  function judge(name, rule, good) {
    const given = read(name);
    const missing = rule.required ? texts.missing[rule.kind] : '';
    if (!given.length) return { problem: missing };
    let answer = rule.kind === 'multiple' ? given : given[0].trim();
    if (rule.kind === 'integer') {
      answer = answer.replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 65248))
        .replace('＋', '+').replace(/[－−]/, '-').replace(/\s*(?:个人|[人个位])$/, '');
      if (answer === '两') answer = '二';
      if (answer.length === 1 && SPELLED.indexOf(answer) > 0) answer = String(SPELLED.indexOf(answer));
      if (!/^[+-]?[0-9]{1,9}$/.test(answer)) {
        return { problem: /^[+-]*[0-9]+$/.test(answer) ? texts.large : rule.number };
      }
      answer = parseInt(answer, 10);
    } else if (rule.kind === 'text') {
      const length = Array.from(answer.replace(/\r\n?/g, '\n')).length;
      if (length > rule.most) {
        return { problem: filled(texts.long, { length, most: rule.most, over: length - rule.most }) };
      }
    }
    if (rule.constraint && !isTrue(evaluate(rule.constraint, good, answer))) {
      return { problem: rule.unfit || texts.unfit };
    }
    return { answer };
  }

  function judgeAll() {
    const good = {};
    const asked = {};
    const problems = {};
    questions.forEach((question) => question.names.forEach((name) => {
      const rule = rules.variables[name];
      if (rule.relevant && !isTrue(evaluate(rule.relevant, good))) return;
      asked[name] = true;
      const found = judge(name, rule, good);
      if (found.problem) problems[name] = found.problem;
      else if (found.answer !== undefined) good[name] = found.answer;
    }));
    const ended = rules.screening.find((rule) =>
      rule.needs.every((name) => !asked[name] || name in good) && isTrue(evaluate(rule.when, good)));
    return { good, asked, problems, ended };
  }

  function update() {
    const judged = judgeAll();
    questions.forEach((question) => {
      const asked = question.names.some((name) => judged.asked[name]);
      if (question.element.hidden === !asked) return;
      question.element.hidden = !asked;
      question.inputs.forEach((input) => { input.disabled = !asked; });
    });
    return judged;
  }

  // --- Saying what is wrong: the mark-up of the server

  function mark(name, text) {
    const first = byId('f-' + name);
    const box = first.closest('fieldset, .field');
    const id = 'f-' + name + '-error';
    const hint = byId('f-' + name + '-hint');
    const described = [hint ? hint.id : '', text ? id : ''].filter(Boolean).join(' ');
    const target = box.tagName === 'FIELDSET' ? box : first;
    let line = byId(id);
    box.classList.toggle('invalid', Boolean(text));
    if (described) target.setAttribute('aria-describedby', described);
    else target.removeAttribute('aria-describedby');
    inputsOf[name].forEach((input) => {
      if (text) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
    });
    if (!text) {
      if (line) line.remove();
      return;
    }
    if (!line) {
      line = document.createElement('p');
      line.className = 'error';
      line.id = id;
      (hint || box.querySelector('legend, label')).insertAdjacentElement('afterend', line);
    }
    line.innerHTML = '<span class="visually-hidden"></span>';
    line.firstChild.textContent = texts.error;
    line.appendChild(document.createTextNode(text));
  }

  function wording(name) {
    const label = byId('f-' + name).closest('fieldset, .field').querySelector('legend, label').cloneNode(true);
    all('.optional', label).forEach((element) => element.remove());
    return label.textContent.trim();
  }

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  function tell(problems) {
    const names = Object.keys(problems);
    if (here.item && names.length === 1 && names[0] === here.item.name) return tellHere(names[0], problems[names[0]]);
    const box = element('div', 'error-summary');
    box.setAttribute('role', 'alert');
    box.tabIndex = -1;
    const sign = element('span', 'sign', '×');
    sign.setAttribute('aria-hidden', 'true');
    const title = element('h2', '', names.length === 1 ? texts.one : filled(texts.several, { count: names.length }));
    title.id = 'problems-title';
    box.setAttribute('aria-labelledby', title.id);
    const list = element('ul');
    names.forEach((name) => {
      const link = element('a');
      link.href = '#f-' + name;
      link.appendChild(element('span', 'about', wording(name)));
      link.appendChild(document.createTextNode(' ' + problems[name]));
      list.appendChild(element('li')).appendChild(link);
      mark(name, problems[name]);
    });
    [sign, title, list].forEach((each) => box.appendChild(each));
    told.textContent = '';
    told.appendChild(box).focus();
    window.scrollTo(0, top(told));
  }

  // The only question on the screen needs no list that would push it off the screen.
  function tellHere(name, text) {
    const said = element('p', 'visually-hidden', texts.error + text);
    said.setAttribute('role', 'alert');
    mark(name, text);
    told.textContent = '';
    told.appendChild(said);
    byId('f-' + name).focus({ preventScroll: true });
    window.scrollTo(0, top(told));
  }

  function mend(name) {
    const link = told.querySelector('a[href="#f-' + name + '"]');
    mark(name, '');
    if (link) link.closest('li').remove();
    if (!told.querySelector('li')) told.textContent = '';
  }

  function mendIfGood(name, judged) {
    if (byId('f-' + name + '-error') && !judged.problems[name]) mend(name);
  }

  function say(kind, title, text) {
    const box = element('div', 'notice ' + kind);
    box.setAttribute('role', 'alert');
    const sign = element('span', 'sign', kind === 'success' ? '✓' : '!');
    sign.setAttribute('aria-hidden', 'true');
    [sign, element('p', 'title', title), element('p', '', text)].forEach((each) => box.appendChild(each));
    told.textContent = '';
    told.appendChild(box);
    box.scrollIntoView();
  }

  // --- Stops: what the screen shows at a time. The cover, each part (or one by one each question and each
  // row of a grid), the check, the ending. A stop is named by the id of an element, also in the history.

  const isAsked = (item) => !item.question.element.hidden;
  const follows = (part, other) => other.compareDocumentPosition(part) & Node.DOCUMENT_POSITION_FOLLOWING;

  function stops() {
    const list = [{ id: parts[0].id, part: parts[0] }];
    parts.slice(1).forEach((part) => {
      const within = items.filter((item) => item.part === part);
      const asked = within.filter(isAsked);
      if (within.length && !asked.length) return;
      if (oneByOne && asked.length) asked.forEach((item) => list.push({ id: 'f-' + item.name, part, item }));
      else list.push({ id: part.id, part });
    });
    if (cixi.review) list.push({ id: review.id, part: review });
    return list;
  }

  // The stop that shows an element: if only its part is named, where one stopped answering in it.
  function stopAt(id) {
    const list = stops();
    const element = byId(id);
    const part = element && element.closest('.part');
    const within = list.filter((stop) => stop.part === part);
    if (!part) return list[0];
    if (part === ending) return { id: ending.id, part: ending };
    if (!within.length) {
      const before = list.filter((stop) => follows(part, stop.part));
      return before[before.length - 1];
    }
    let at = within.findIndex((stop) => stop.id === id);
    if (at < 0) within.forEach((stop, n) => { if (stop.item && read(stop.item.name).length) at = n + 1; });
    return within[Math.max(0, Math.min(at, within.length - 1))];
  }

  // Where the answer was given that ends the survey
  function cause(judged) {
    const asked = items.filter((item) => judged.asked[item.name] && judged.ended.needs.indexOf(item.name) >= 0);
    return stopAt(asked.length ? 'f-' + asked.pop().name : parts[0].id);
  }

  const placeOf = (list, stop) => list.findIndex((each) => each.id === stop.id);
  const place = (list) => placeOf(list, here);
  const heading = (stop) => stop.item
    ? stop.item.element.querySelector('legend, label')
    : stop.part === parts[0] ? byId('title') : stop.part.querySelector('h2');
  const seen = {};          // how far each stop was scrolled
  const depth = () => (history.state && history.state.depth) || 0;
  history.scrollRestoration = 'manual';

  // how: push a step of the history, replace the present one, back (the history moved), first
  function show(stop, how) {
    const judged = judgeAll();
    const from = here.id;
    seen[here.id] = window.pageYOffset;
    here = stop;
    if (judged.ended) byId('ending-message').textContent = judged.ended.message;
    parts.concat(review, ending).forEach((part) => { part.hidden = part !== stop.part; });
    questions.forEach((question) => question.element.classList.toggle('now', !!stop.item && stop.item.question === question));
    items.forEach((item) => item.element.classList.toggle('now', item === stop.item));
    const list = stops();
    const first = list.find((each) => each.part === stop.part);
    stop.part.classList.toggle('later', !!first && first.id !== stop.id);
    document.body.classList.toggle('started', stop.part !== parts[0]);
    form.classList.toggle('checked', stop.part === review);
    form.classList.toggle('one', oneByOne);
    form.classList.toggle('checking', checking);
    tellSteps(list);
    tellProgress();
    const part = stop.part === ending && judged.ended ? cause(judged).part : stop.part;
    hidden('_section').value = part.id.replace('part-', '');
    if (stop.part === review) cixi.review(form, texts);
    if (how === 'push') byId('anew').hidden = true;
    document.title = stop.part === parts[0] ? title : stop.part.querySelector('h2').textContent + ' · ' + title;
    const state = { stop: stop.id, checking, depth: depth() + (how === 'push' ? 1 : 0), from };
    if (how === 'push') history.pushState(state, '', '#' + stop.id);
    else if (how === 'replace') history.replaceState(state, '', '#' + stop.id);
    settle();
    document.dispatchEvent(new CustomEvent('shown'));
    setTimeout(tellMore);
    if (oneByOne && !elder) load('pace');
    if (how === 'first') return;
    const target = heading(stop);
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
    // A new screen begins with its place, not with the head of the site
    window.scrollTo(0, how === 'back' ? seen[stop.id] || 0 : top(told));
  }

  function top(element) {
    return document.body.classList.contains('started') ? element.getBoundingClientRect().top + window.pageYOffset : 0;
  }

  // What sticks to the edges leaves four fifths of the screen to the questions, however large an app makes the
  // text: first only the line of the progress stays of the place, then the steps let go as well.
  function settle() {
    const most = window.innerHeight / 5;
    form.classList.toggle('loose', below.offsetHeight > most);
    above.style.top = above.offsetHeight + below.offsetHeight > most ? bar.offsetHeight - above.offsetHeight + 'px' : '';
  }

  // Choices that go on behind the steps have a sign there.
  function tellMore() {
    const last = here.item && all('.choice', here.item.element).pop();
    onward.hidden = !last || last.getBoundingClientRect().bottom <= below.getBoundingClientRect().top + 4;
  }

  function showMore() {
    const [choice, beforehand, edge] = [all('.choice', here.item.element).pop(), above, below].map((each) => each.getBoundingClientRect());
    const page = edge.top - beforehand.bottom - choice.height;
    window.scrollBy(0, Math.min(Math.max(page, choice.height), choice.bottom - edge.top + 12));
  }

  function tellSteps(list) {
    const at = place(list);
    const last = here.part === review || here.part === ending || at === list.length - 1;
    steps.hidden = false;
    finish.hidden = !last;
    nextButton.hidden = last;
    backButton.hidden = here.part === parts[0] || checking;
    nextButton.textContent = here.part === parts[0] ? texts.start
      : checking ? texts.checked : cixi.review && at === list.length - 2 ? texts.check : texts.next;
    keepButton.hidden = here.part === parts[0] || here.part === ending;
    // Not when it is there already: who has just pressed the switch would lose the focus.
    if (view.parentNode !== here.part) here.part.insertBefore(view, here.part.firstChild);
    view.hidden = elder || last;
    oneButton.setAttribute('aria-pressed', String(oneByOne));
  }

  // The minutes left are the share of the answers still to give: those behind, given or not, are done.
  // A text takes as long as four choices.
  const effort = (item) => rules.variables[item.name].kind === 'text' ? 4 : 1;
  const efforts = (list) => list.reduce((sum, item) => sum + effort(item), 0);

  function tellProgress() {
    const list = stops();
    const at = place(list);
    const asked = items.filter(isAsked);
    const from = here.item ? asked.indexOf(here.item) : asked.findIndex((item) => item.part === here.part || follows(item.part, here.part));
    const left = from < 0 ? 0 : efforts(asked.slice(from).filter((item) => !read(item.name).length));
    const minutes = Math.round(rules.minutes * left / efforts(items));
    const [where, time] = all('span', progress);
    progress.hidden = here.part === parts[0] || here.part === ending;
    where.textContent = here.part === review ? texts.last
      : filled(oneByOne ? texts.question : texts.progress, { n: at, m: list.length - (cixi.review ? 2 : 1) });
    time.textContent = here.part === review ? '' : minutes > 1 ? filled(texts.minutes, { minutes }) : texts.minute;
    bar.max = efforts(asked);
    bar.value = bar.max - left;
  }

  function next() {
    const judged = update();
    const problems = {};
    items.filter((item) => here.item ? item === here.item : item.part === here.part).forEach((item) => {
      mark(item.name, '');
      if (judged.problems[item.name] && !judged.ended) problems[item.name] = judged.problems[item.name];
    });
    if (Object.keys(problems).length) return tell(problems);
    told.textContent = '';
    const list = stops();
    if (judged.ended && place(list) >= placeOf(list, cause(judged))) {
      checking = false;
      show(stopAt(ending.id), 'push');
    } else if (checking && depth()) {
      history.back();
    } else {
      checking = false;
      show(list[place(list) + 1], 'push');
    }
    return sender.save();
  }

  function back() {
    const judged = judgeAll();
    const mended = here.part === ending && judged.ended && cause(judged);
    told.textContent = '';
    if (depth() && (!mended || history.state.from === mended.id)) return history.back();
    const list = stops();
    checking = false;
    show(mended || list[Math.max(0, here.part === ending ? 1 : place(list) - 1)], 'replace');
    return sender.save();
  }

  window.addEventListener('popstate', (event) => {
    if (!event.state || !event.state.stop || sender.isBusy()) return;
    update();
    const stop = stopAt(event.state.stop);
    if (stop.id === here.id) return;
    told.textContent = '';
    checking = Boolean(event.state.checking);
    show(stop, 'back');
    const link = stop.part === review && changed && review.querySelector('a[href="#f-' + changed + '"]');
    if (link) link.focus();
    sender.save();
  });

  // Leads to a question: to mend a problem, or from the check to change an answer and return.
  function goTo(name) {
    const stop = stopAt('f-' + name);
    if (here.part === review) {
      checking = true;
      changed = name;
    }
    if (stop.id !== here.id) show(stop, 'push');
    const chosen = inputsOf[name].find((input) => input.checked);
    (chosen || byId('f-' + name)).focus();
    (items.find((item) => item.name === name).element).scrollIntoView();
    if (chosen) uncover(chosen.closest('.choice'));
  }

  function uncover(choice) {
    const hiddenBy = choice.getBoundingClientRect().bottom - below.getBoundingClientRect().top + 12;
    if (hiddenBy > 12) window.scrollBy(0, hiddenBy);
  }

  // A script that only this way of answering needs; it hears of each screen by the event `shown`
  function load(name) {
    const address = form.getAttribute('data-' + name);
    if (!address) return;
    form.removeAttribute('data-' + name);
    document.body.appendChild(element('script')).src = address;
  }

  function remembered() {
    try { return localStorage.getItem('cixi view'); } catch (forbidden) { return null; }
  }

  function switchView() {
    oneByOne = !oneByOne;
    try { localStorage.setItem('cixi view', oneByOne ? 'one' : 'parts'); } catch (forbidden) { /* for this visit then */ }
    const item = here.item;
    const stop = stopAt(here.id);
    show(stop, stop.id === here.id ? 'first' : 'replace');
    if (item) item.element.scrollIntoView();
  }

  // --- Villages follow the town

  function followTown() {
    const town = form.querySelector('select[data-towns]');
    const village = form.querySelector('select[data-villages]');
    if (!town || !village) return;
    const groups = all('optgroup', village);
    village._fit = () => {
      const chosen = village.value;
      groups.forEach((group) => {
        const fits = !town.value || group.getAttribute('data-town') === town.value;
        if (!fits && group.parentNode) group.remove();
        else if (fits && !group.parentNode) village.appendChild(group);
      });
      village.value = chosen;
      if (village.selectedIndex < 0) village.value = '';
    };
    town.addEventListener('change', village._fit);
    village._fit();
  }

  // --- A choice that goes with no other, as “none of these”: it takes the place of the others, and pressed again
  // gives it back.

  let cleared = {};

  function takeTurns(pressed) {
    const alone = rules.variables[pressed.name].alone || [];
    const ticked = inputsOf[pressed.name].filter((input) => input !== pressed && input.checked);
    const isAlone = alone.indexOf(pressed.value) >= 0;
    const giving = isAlone ? ticked : ticked.filter((input) => alone.indexOf(input.value) >= 0);
    const back = isAlone && !pressed.checked && cleared[pressed.name];
    if (!alone.length) return;
    if (pressed.checked) giving.forEach((input) => { input.checked = false; });
    if (back) back.forEach((input) => { input.checked = true; });
    cleared[pressed.name] = isAlone && pressed.checked && giving.length ? giving : null;
    tellTurn(pressed, back ? texts.restored : !pressed.checked || !giving.length ? ''
      : filled(isAlone ? texts.cleared : texts.gaveway, { answer: labelOf(isAlone ? pressed : giving[0]) }));
  }

  const labelOf = (input) => input.closest('label').textContent.trim();

  function tellTurn(pressed, text) {
    pressed.closest('fieldset').querySelector('.turn').textContent = text;
  }

  function fill(values) {
    cleared = {};
    const village = form.querySelector('select[data-villages]');
    Object.keys(inputsOf).forEach((name) => {
      const given = values[name] || [];
      inputsOf[name].forEach((input) => {
        if (/^(radio|checkbox)$/.test(input.type)) input.checked = given.indexOf(input.value) >= 0;
        else input.value = given[0] || '';
        if (input.hasAttribute('data-towns') && village) village._fit();
      });
    });
    update();
  }

  // Everything filled in; ``onlyAsked``: what the form posts, without questions that do not apply
  function answers(onlyAsked) {
    const values = {};
    Object.keys(inputsOf).forEach((name) => {
      const given = onlyAsked && inputsOf[name][0].disabled ? [] : read(name);
      if (given.length) values[name] = given;
    });
    return values;
  }

  // --- Sending

  function send() {
    const judged = update();
    if (judged.ended || !Object.keys(judged.problems).length) return sender.send();
    return tell(judged.problems);
  }

  // A part to go on with, at the question shown or named by the address if it is of that part
  function open(section) {
    const within = (id) => byId(id) && byId(id).closest('#part-' + section);
    const judged = judgeAll();
    show(judged.ended ? cause(judged) : stopAt([here.id, location.hash.slice(1)].find(within) || 'part-' + section), 'replace');
  }

  // The problems that the server found
  function tellFound(found) {
    const problems = {};
    found.forEach((problem) => { problems[problem.name] = problem.message; });
    tell(problems);
  }

  function touched() {
    sender.changed();
    tellProgress();
  }

  // --- Events

  let pressed = null;
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#f-"]');
    if (link) {
      event.preventDefault();
      goTo(link.getAttribute('href').slice(3));
    }
    pressed = event.target.closest('button[name=_do]') || pressed;
  });
  form.addEventListener('submit', (event) => {
    const doing = pressed ? pressed.value : 'send';
    event.preventDefault();
    if (doing === 'send') send();
    else sender.leave(doing);
  });
  form.addEventListener('input', (event) => {
    // Not only when a field is left: pressing the button would leave it, and the page would move under the press.
    if (byId('f-' + event.target.name + '-error')) mendIfGood(event.target.name, update());
    touched();
  });
  form.addEventListener('change', (event) => {
    if (event.target.type === 'checkbox') takeTurns(event.target);
    mendIfGood(event.target.name, update());
    touched();
  });
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.target.tagName !== 'INPUT') return;
    event.preventDefault();
    // On a choice it presses that; it goes on only where nothing unanswered would be passed by
    if (/^(radio|checkbox)$/.test(event.target.type) && !(here.item && event.target.checked)) event.target.click();
    else if (!nextButton.hidden) next();
  });
  nextButton.addEventListener('click', next);
  backButton.addEventListener('click', back);
  oneButton.addEventListener('click', switchView);
  onward.addEventListener('click', showMore);
  window.addEventListener('scroll', tellMore, { passive: true });
  // The second tap of two on “next” is no wish to send.
  sendButton.addEventListener('click', (event) => { if (event.detail > 1) event.preventDefault(); });
  // Reading aloud where the device has a voice; in large print the page itself brings it
  const voices = window.speechSynthesis;
  const offerVoice = () => { if (!elder && voices.getVoices().length) load('aloud'); };
  if (voices) {
    if (voices.addEventListener) voices.addEventListener('voiceschanged', offerVoice);
    window.addEventListener('load', offerVoice);
    setTimeout(offerVoice, 3000); // some browsers do not tell when the voices are there
  }
  window.addEventListener('resize', () => { settle(); tellMore(); });
  if (window.ResizeObserver) new ResizeObserver(settle).observe(below);
  window.addEventListener('pagehide', () => {
    history.replaceState(Object.assign({}, history.state, { scrolled: window.pageYOffset }), '');
  });

  // --- Start where the person stopped

  form.classList.add('stepped');
  followTown();
  Object.keys(inputsOf).filter((name) => rules.variables[name].alone).forEach((name) => {
    byId('f-' + name).closest('fieldset').appendChild(element('div', 'turn')).setAttribute('role', 'status');
  });
  const judged = update();
  const problem = told.querySelector('.error-summary a');
  const kept = hidden('_revision').value !== '0';
  const wanted = byId(location.hash.slice(1));
  const before = history.state || {};
  checking = Boolean(before.checking);
  here = judged.ended && !problem ? cause(judged) : stopAt(problem ? problem.getAttribute('href').slice(1)
    : kept && wanted && wanted.closest('.part') ? wanted.id : 'part-' + form.getAttribute('data-section'));
  if (here.part === ending) here = stopAt(parts[0].id);
  show(here, 'first');
  history.replaceState({ stop: here.id, checking, depth: depth() }, '', location.hash || location.href);
  if (before.stop === ending.id && before.from === here.id && depth()) history.back(); // that is here
  if (problem) told.querySelector('.error-summary').focus();
  else if (before.stop === here.id) window.scrollTo(0, before.scrolled || 0);
  else if (kept && oneByOne) window.scrollTo(0, top(told));

  if (/MicroMessenger/.test(navigator.userAgent) && !location.pathname.indexOf('/i/')) load('wechat');
  sender = cixi.begin({ form, texts, answers, fill, open, say, tell: tellFound });
}());
