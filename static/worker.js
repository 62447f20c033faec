// The questionnaire without a network. It reads what sending.js has put into the caches (one a questionnaire:
// the empty form and its files) and writes nothing. It answers two kinds of GET and leaves all else alone,
// above all every POST: the opening of a questionnaire (the network first; the kept form when there is none),
// and files whose address changes with their content (the kept one first).
'use strict';

const PATIENCE = 4000; // ms that a network may take before it counts as dead
const DOOR = /^\/([is])\/([^/]+)\/?$/;

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => {
  const preload = self.registration.navigationPreload;
  if (preload) event.waitUntil(preload.enable());
});

self.addEventListener('fetch', (event) => {
  const request = event.request;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    const door = doorOf(url.pathname);
    if (door) event.respondWith(questionnaire(event, door));
  } else if (url.pathname.indexOf('/static/') === 0 && url.searchParams.has('v')) {
    event.respondWith(caches.match(request, { ignoreVary: true }).then((kept) => kept || fetch(request)));
  }
});

// As sending.js names it: a code in any spelling is one door.
function doorOf(path) {
  const parts = DOOR.exec(path);
  if (!parts) return '';
  return parts[1] === 's' ? '/s/' + parts[2] : '/i/' + parts[2].toUpperCase().replace(/[^0-9A-Z]/g, '');
}

function questionnaire(event, door) {
  const name = 'cixi ' + door;
  const asked = Promise.resolve(event.preloadResponse).then((early) => early || fetch(event.request));
  const settled = asked.then((response) => tidy(name, response));
  event.waitUntil(settled.catch(() => undefined));
  return caches.match(door, { cacheName: name, ignoreVary: true }).then((kept) => {
    if (!kept) return settled;
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
    return Promise.race([settled.catch(() => undefined), late]).then((response) =>
      response && response.status < 500 ? response : kept);
  });
}

// A door that is shut (sent, ended, unknown by now) leaves nothing here.
function tidy(name, response) {
  const shut = [403, 404, 409, 410].indexOf(response.status) >= 0;
  return shut ? caches.delete(name).then(() => response) : response;
}
