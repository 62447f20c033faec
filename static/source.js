// The file as text: line numbers beside it, and a click on a fault goes to its line.
(function () {
  'use strict';
  var area = document.getElementById('f-source');
  if (!area) return;
  var field = area.parentNode;
  var gutter = document.createElement('pre');
  gutter.className = 'gutter';
  gutter.setAttribute('aria-hidden', 'true');
  field.insertBefore(gutter, area);
  field.className += ' numbered';

  var links = Array.prototype.slice.call(document.querySelectorAll('a[data-line]'));
  var faulty = {};
  links.forEach(function (link) { faulty[link.getAttribute('data-line')] = true; });

  function number() {
    var count = area.value.split('\n').length;
    if (gutter.childNodes.length && Number(gutter.getAttribute('data-count')) === count) return;
    gutter.textContent = '';
    gutter.setAttribute('data-count', count);
    for (var n = 1; n <= count; n += 1) {
      var line = document.createElement('span');
      line.textContent = n + '\n';
      if (faulty[n]) line.className = 'faulty';
      gutter.appendChild(line);
    }
  }
  function follow() { gutter.scrollTop = area.scrollTop; }

  function goTo(line, column) {
    var lines = area.value.split('\n');
    var start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    var height = area.scrollHeight / lines.length;
    area.focus();
    area.setSelectionRange(start + column - 1, start + (lines[line - 1] || '').length);
    area.scrollTop = Math.max(0, (line - 6) * height);
    area.scrollIntoView({ block: 'center' });
  }

  links.forEach(function (link) {
    link.addEventListener('click', function (event) {
      event.preventDefault();
      goTo(Number(link.getAttribute('data-line')), Number(link.getAttribute('data-column')));
    });
  });

  var first = area.value;
  var leaving = false;
  area.form.addEventListener('submit', function () { leaving = true; });
  window.addEventListener('beforeunload', function (event) {
    if (leaving || area.value === first) return;
    event.preventDefault();
    event.returnValue = '';
  });
  area.addEventListener('input', number);
  area.addEventListener('scroll', follow);
  number();
  follow();
})();
