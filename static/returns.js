// Fetches the page of returns again and puts its live part in place, while the page is looked at.
(function () {
  'use strict';
  var live = document.querySelector('[data-refresh]');
  if (!live || !window.fetch || !window.DOMParser) return;
  var seconds = Number(live.getAttribute('data-refresh'));

  function refresh() {
    if (document.hidden || live.contains(document.activeElement) || live.querySelector('details[open]')) return;
    fetch(location.pathname, { credentials: 'same-origin' }).then(function (response) {
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      return response.text();
    }).then(function (text) {
      var fresh = new DOMParser().parseFromString(text, 'text/html').getElementById('live');
      if (!fresh) return;
      live.replaceWith(fresh);
      live = fresh;
      // Without the mark the wave has ended: there is nothing more to wait for.
      if (!fresh.hasAttribute('data-refresh')) clearInterval(timer);
    }).catch(function () { clearInterval(timer); });
  }
  var timer = setInterval(refresh, seconds * 1000);
})();
