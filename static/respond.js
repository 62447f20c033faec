// The questionnaire part by part: conditions, problems, the way through it. Everything here is a comfort:
// without it the page is one long form, and the server judges every answer again anyway.
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
  const ending = byId('part-ending');
  const finish = byId('finish');
  const steps = byId('steps');
  const [backButton, nextButton] = all('button', steps);
  const keepButton = all('button', finish)[1];
  const filled = cixi.filled;
  const parts = all('.part', form).filter((part) => part !== ending);
  const questions = all('.question', form).map((element) => {
    const inputs = all('[name]', element);
    const names = inputs.map((input) => input.name).filter((name, at, list) => list.indexOf(name) === at);
    return { element, inputs, names, part: element.closest('.part') };
  });
  const inputsOf = {};
  questions.forEach((question) => question.inputs.forEach((input) => {
    (inputsOf[input.name] = inputsOf[input.name] || []).push(input);
  }));

  let shown = parts[0];     // the part on the screen
  let sender = null;        // of sending.js: saves and sends

  // --- Judging, as questionnaire/answers.py does

  function read(name) {
    return inputsOf[name]
      .filter((input) => input.checked || !/^(radio|checkbox)$/.test(input.type))
      .map((input) => input.value).filter((value) => value.trim());
  }

  function judge(name, rule, good) {
    const given = read(name);
    const missing = rule.required ? texts.missing[rule.kind] : '';
    if (!given.length) return { problem: missing };
    let answer = rule.kind === 'multiple' ? given : given[0].trim();
    if (rule.kind === 'integer') {
      answer = answer.replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 65248))
        .replace('＋', '+').replace(/[－−]/, '-');
      if (!/^[+-]?[0-9]{1,9}$/.test(answer)) {
        return { problem: /^[+-]*[0-9]+$/.test(answer) ? texts.large : texts.number };
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
    window.scrollTo(0, 0);
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

  // --- One part at a time

  const isAsked = (part) => {
    const within = questions.filter((question) => question.part === part);
    return !within.length || within.some((question) => !question.element.hidden);
  };
  const path = () => parts.filter(isAsked);

  function show(part, how) {
    const visible = path();
    const at = visible.indexOf(part);
    const last = part === ending || at === visible.length - 1;
    parts.concat(ending).forEach((each) => { each.hidden = each !== part; });
    shown = part;
    document.body.classList.toggle('started', part !== parts[0]);
    finish.hidden = !last;
    keepButton.hidden = part === ending;
    steps.hidden = false;
    nextButton.hidden = last;
    backButton.hidden = part === parts[0];
    nextButton.textContent = part === parts[0] ? texts.start : texts.next;
    progress.hidden = part === parts[0] || part === ending;
    progress.querySelector('span').textContent = filled(texts.progress, { n: at, m: visible.length - 1 });
    progress.lastElementChild.max = visible.length - 1;
    progress.lastElementChild.value = at;
    progress.lastElementChild.setAttribute('aria-label', texts.progressed);
    hidden('_section').value = part === ending ? '' : part.id.replace('part-', '');
    const state = { part: part.id, depth: (history.state && history.state.depth) || 0 };
    if (how === 'push') {
      state.depth += 1;
      history.pushState(state, '', '#' + part.id);
    } else if (how === 'replace') {
      history.replaceState(state, '', '#' + part.id);
    }
    if (how !== 'first') {
      window.scrollTo(0, 0);
      (part === parts[0] ? byId('title') : part.querySelector('h2')).focus({ preventScroll: true });
    }
  }

  function next() {
    const judged = update();
    const problems = {};
    questions.filter((question) => question.part === shown).forEach((question) => question.names.forEach((name) => {
      mark(name, '');
      if (judged.problems[name] && !judged.ended) problems[name] = judged.problems[name];
    }));
    if (Object.keys(problems).length) return tell(problems);
    told.textContent = '';
    const visible = path();
    if (judged.ended) byId('ending-message').textContent = judged.ended.message;
    show(judged.ended ? ending : visible[visible.indexOf(shown) + 1], 'push');
    return sender.save();
  }

  function back() {
    told.textContent = '';
    if (history.state && history.state.depth > 0) return history.back();
    const visible = path();
    show(shown === ending ? visible[1] : visible[Math.max(0, visible.indexOf(shown) - 1)], 'replace');
    return sender.save();
  }

  window.addEventListener('popstate', (event) => {
    const part = event.state && byId(event.state.part);
    if (!part || sender.isBusy()) return;
    update();
    if (part !== shown) {
      told.textContent = '';
      show(part, '');
      sender.save();
    }
  });

  function goTo(name) {
    const input = byId('f-' + name);
    const part = input.closest('.part');
    if (part !== shown) show(part, 'push');
    input.focus();
    (input.closest('.question') || input).scrollIntoView();
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

  function fill(values) {
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
    const first = Object.keys(judged.problems)[0];
    show(byId('f-' + first).closest('.part'), 'push');
    return tell(judged.problems);
  }

  function open(section) {
    const part = byId('part-' + section);
    show(parts.indexOf(part) >= 0 && isAsked(part) ? part : parts[0], 'replace');
  }

  // The problems that the server found
  function tellFound(found) {
    const problems = {};
    found.forEach((problem) => { problems[problem.name] = problem.message; });
    show(byId('f-' + found[0].name).closest('.part'), 'replace');
    tell(problems);
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
    sender.changed();
  });
  form.addEventListener('change', (event) => {
    mendIfGood(event.target.name, update());
    sender.changed();
  });
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.target.tagName !== 'INPUT') return;
    event.preventDefault();
    if (!nextButton.hidden) next();
  });
  nextButton.addEventListener('click', next);
  backButton.addEventListener('click', back);

  // --- Start where the person stopped

  form.classList.add('stepped');
  followTown();
  update();
  const problem = told.querySelector('.error-summary a');
  const kept = hidden('_revision').value !== '0';
  const wanted = (kept && byId(location.hash.slice(1))) || byId('part-' + form.getAttribute('data-section'));
  const start = problem ? byId(problem.getAttribute('href').slice(1)).closest('.part') : wanted;
  show(parts.indexOf(start) >= 0 && isAsked(start) ? start : parts[0], 'first');
  history.replaceState({ part: shown.id, depth: 0 }, '', location.hash || location.href);
  if (problem) told.querySelector('.error-summary').focus();

  sender = cixi.begin({ form, texts, answers, fill, open, say, tell: tellFound });
}());
