// One question at a time, moving on by itself after a choice: a moment after a tap, or Space, on a single
// answer, and any touch, key or turn of the wheel in that moment stays. Arrow keys only look through the
// answers, so they never move on. Not in large print, and with less motion only when switched on here.
(function () {
  'use strict';

  const MOMENT = 2000; // as long as the line in respond.css
  const form = document.getElementById('answers');
  const box = document.getElementById('pace');
  const toggle = document.getElementById('auto');
  const next = document.querySelector('#steps .large');
  const status = box.querySelector('[role=status]');
  let timer = 0;
  let looking = false; // with the arrow keys
  let wanted = !window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  try { wanted = (localStorage.getItem('cixi auto') || String(wanted)) === 'true'; } catch (forbidden) { /* not kept */ }

  function stay() {
    clearTimeout(timer);
    box.hidden = true;
    status.textContent = '';
  }

  function tell() {
    stay();
    toggle.hidden = !form.classList.contains('one') || next.hidden;
    toggle.setAttribute('aria-pressed', String(wanted));
  }

  toggle.addEventListener('click', () => {
    wanted = !wanted;
    try { localStorage.setItem('cixi auto', String(wanted)); } catch (forbidden) { /* for this visit then */ }
    tell();
  });
  form.addEventListener('click', (event) => {
    if (event.target.type !== 'radio' || looking || !wanted || toggle.hidden || form.classList.contains('checking')) return;
    stay();
    box.hidden = false;
    status.textContent = status.getAttribute('data-text');
    timer = setTimeout(() => {
      stay();
      next.click();
    }, MOMENT);
  });
  document.addEventListener('keydown', (event) => {
    looking = event.key.indexOf('Arrow') === 0;
    stay();
  }, true);
  ['mousedown', 'touchstart'].forEach((name) => document.addEventListener(name, () => {
    looking = false;
    stay();
  }, true));
  document.addEventListener('wheel', stay, { passive: true });
  document.addEventListener('visibilitychange', stay);
  document.addEventListener('shown', tell);
  tell();
}());
