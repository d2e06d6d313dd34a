"use strict";
// Asks how the offer stands; a change loads the page anew. In WeChat, the button accepts the transfer by WeChat's bridge.
(function () {
  var body = document.body, misses = 0, moving = ["open", "checking", "confirm"];
  var confirm = document.querySelector('meta[name="payout-confirm"]'), accept = document.getElementById("accept");
  if (confirm && accept) accept.addEventListener("click", function () {
    if (typeof WeixinJSBridge === "undefined") return;
    WeixinJSBridge.invoke("requestMerchantTransfer", JSON.parse(confirm.content), function () { location.reload(); });
  });
  if (moving.indexOf(body.dataset.state) < 0) return;
  function later() { setTimeout(ask, Math.min(30000, 2000 * Math.pow(2, misses))); }
  function ask() {
    if (document.hidden) return later();
    fetch(location.pathname.replace(/\/$/, "") + "/state", { cache: "no-store" }).then(function (r) { return r.json(); }).then(function (now) {
      misses = 0;
      if (now.state !== body.dataset.state) return location.reload();
      later();
    }).catch(function () { misses += 1; later(); });
  }
  later();
})();
