// In the place of worker.js when CIXI_OFFLINE is 0: takes away what phones have kept, and itself.
'use strict';

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => name.indexOf('cixi ') === 0).map((name) => caches.delete(name))))
    .then(() => self.registration.unregister()));
});
