// The check before sending: every question that was asked, its answer and a way back to it, in the words of
// the form itself. Fills #given with copies of the template there; respond.js shows it as the last stop.
(function () {
  'use strict';

  const all = (selector, root) => Array.from(root.querySelectorAll(selector));

  function add(box, tag, words) {
    const made = box.appendChild(document.createElement(tag));
    if (words) made.appendChild(words);
    return made;
  }

  function wording(box) {
    const label = box.querySelector('h2, legend, label').cloneNode(true);
    const words = document.createDocumentFragment();
    all('.optional', label).forEach((each) => each.remove());
    while (label.firstChild) words.appendChild(label.firstChild);
    return words;
  }

  function answers(box) {
    const select = box.querySelector('select');
    if (select) return select.value ? [select.options[select.selectedIndex].textContent] : [];
    const typed = box.querySelector('textarea, input:not([type=radio]):not([type=checkbox])');
    if (typed) return typed.value.trim() ? [typed.value.trim()] : [];
    return all('input:checked', box).map((input) => input.nextElementSibling.firstChild.textContent);
  }

  function entry(list, box, optional, texts) {
    const given = answers(box);
    const row = document.importNode(document.getElementById('given-entry').content, true).firstElementChild;
    const [question, answer, change] = Array.from(row.children);
    const link = change.querySelector('a');
    question.appendChild(wording(box));
    answer.textContent = given[0] || (optional ? texts.unanswered : texts.missed);
    row.className = given.length ? '' : optional ? 'unanswered' : 'missed';
    given.slice(1).forEach((text) => {
      row.insertBefore(answer.cloneNode(false), change).textContent = text;
    });
    link.href = '#' + box.querySelector('[id^=f-]:not(p)').id;
    link.firstElementChild.textContent = given.length ? texts.change : texts.answer;
    link.lastElementChild.textContent = question.textContent;
    list.appendChild(row);
  }

  function review(form, texts) {
    const box = document.getElementById('given');
    box.textContent = '';
    all('section.part', form).forEach((part) => {
      const questions = all('.question', part).filter((question) => !question.hidden);
      if (!questions.length) return;
      add(box, 'h3', wording(part));
      let list = null;
      questions.forEach((question) => {
        const rows = all('.grid > fieldset', question);
        const optional = Boolean(question.querySelector('.optional'));
        if (rows.length) add(box, 'h4', wording(question));
        if (rows.length || !list) list = add(box, 'dl');
        list.className = 'given';
        (rows.length ? rows : [question]).forEach((each) => entry(list, each, optional, texts));
        if (rows.length) list = null;
      });
    });
  }

  (window.cixi = window.cixi || {}).review = review;
}());
