// In WeChat, on a page with an address of somebody's own (a code, a receipt): without the menu that would pass
// it on. The card of the page leads to the open survey, but WeChat passes on the address it is at.
(function () {
  'use strict';
  function hide() { window.WeixinJSBridge.call('hideOptionMenu'); }
  if (window.WeixinJSBridge) hide();
  else document.addEventListener('WeixinJSBridgeReady', hide);
}());
