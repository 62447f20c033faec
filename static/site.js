// Small comforts for pages that all work without it. No inline handlers: the CSP forbids them.
(function () {
  'use strict';
  document.documentElement.className += ' js';

  var summary = document.querySelector('.error-summary');
  if (summary) summary.focus();

  // A second click on a slow network is not a second wish; the server stays the judge.
  document.addEventListener('submit', function (event) {
    var form = event.target;
    if (form.method !== 'post') return;
    if (form.getAttribute('data-sent')) { event.preventDefault(); return; }
    form.setAttribute('data-sent', '1');
    setTimeout(function () { form.removeAttribute('data-sent'); }, 8000);
  });
  window.addEventListener('pageshow', function () {
    Array.prototype.forEach.call(document.querySelectorAll('form[data-sent]'), function (form) {
      form.removeAttribute('data-sent');
    });
  });

  // A switch of the language or size that would lose what was filled in asks first.
  var switches = document.querySelector('.switches');
  var typed = false, chosen = false;
  document.addEventListener('change', function (event) {
    if (event.target.type === 'file') chosen = true;
  });
  document.addEventListener('input', function (event) {
    if (event.target.form && event.target.form.method === 'post') typed = true;
  });
  if (switches) switches.addEventListener('click', function (event) {
    var lost = event.target.tagName === 'A' ? typed || chosen : event.target.tagName === 'BUTTON' && chosen;
    if (lost && !window.confirm(switches.getAttribute('data-typed'))) event.preventDefault();
  });

  // Where the clipboard is refused, as in many apps, the older way: the text marked and copied.
  function copy(source) {
    window.getSelection().selectAllChildren(source);
    return document.execCommand('copy');
  }
  Array.prototype.forEach.call(document.querySelectorAll('button[data-copy]'), function (button) {
    button.hidden = false;
    button.addEventListener('click', function () {
      var source = document.getElementById(button.getAttribute('data-copy'));
      var status = document.getElementById(button.getAttribute('data-copy') + '-status');
      function tell() { status.textContent = button.getAttribute('data-done'); }
      function byHand() { if (copy(source)) tell(); }
      if (navigator.clipboard) navigator.clipboard.writeText(source.textContent).then(tell, byHand);
      else byHand();
    });
  });
  // Apps that show pages within themselves cannot print them.
  var inApp = /MicroMessenger|QQ\/|Weibo|DingTalk|AlipayClient/.test(navigator.userAgent);
  Array.prototype.forEach.call(document.querySelectorAll('button[data-print]'), function (button) {
    if (inApp || !window.print) return;
    button.hidden = false;
    button.addEventListener('click', function () { window.print(); });
  });

  // Tables stand open where there is room for them; on paper, where nothing can be opened, so do
  // definitions and returns.
  function open(which) {
    Array.prototype.forEach.call(document.querySelectorAll(which), function (details) {
      details.open = true;
    });
  }
  if (window.matchMedia('(min-width: 64em)').matches) open('details.as-table');
  window.addEventListener('beforeprint', function () { open('details.as-table, details.on-paper'); });
})();
