// The preview beside the editor: fetched anew after each save, at the part that is open, in the language and
// size that were chosen in it and with what was filled in. The editor tells by the events `saved` (the page
// that answered) and `swapping` (the content that is about to take the place of this page's).
(function () {
  'use strict';

  const REMEMBERED = 'cixi preview';
  const frameOf = (root) => root.querySelector('#preview iframe');

  // Open or closed, as it was left
  function outfit(root) {
    const box = root.querySelector('#preview');
    if (!box) return;
    try { if (localStorage.getItem(REMEMBERED) === 'closed') box.open = false; } catch (forbidden) { /* then it is open */ }
    box.addEventListener('toggle', () => {
      try { localStorage.setItem(REMEMBERED, box.open ? 'open' : 'closed'); } catch (forbidden) { /* for this page */ }
    });
  }

  // Where the fresh page points, in the language and size of what the frame shows now
  function addressOf(fresh, frame) {
    const address = new URL(fresh.getAttribute('src'), location.href);
    const form = frame.contentDocument && frame.contentDocument.getElementById('answers');
    if (form) new URL(form.action).searchParams.forEach((value, name) => address.searchParams.set(name, value));
    return address;
  }

  document.addEventListener('saved', (event) => {
    const fresh = frameOf(event.detail);
    const frame = frameOf(document);
    if (!fresh || !frame || !frame.contentWindow) return;
    const address = addressOf(fresh, frame);
    Array.from(document.querySelectorAll('.to-preview a, #preview p a')).forEach((link) => { link.hash = address.hash; });
    frame.contentWindow.location.replace(address); // without a step in the history of the window
  });

  document.addEventListener('swapping', (event) => {
    const fresh = frameOf(event.detail);
    const frame = frameOf(document);
    outfit(event.detail);
    if (!fresh || !frame) return;
    fresh.answers = frame.read ? frame.read() : frame.answers;
    fresh.src = addressOf(fresh, frame);
  });

  outfit(document);
}());
