"use strict";
// Counts down, and asks how the order stands; a change of state loads the page anew. Without it, meta refresh does.
(function () {
  var body = document.body, clock = document.getElementById("left"), ring = document.getElementById("ring");
  var total = Math.max(1, Number(body.dataset.total)) * 1000;
  var ends = performance.now() + Number(body.dataset.left) * 1000, misses = 0, waiting = 0;
  if (body.dataset.state !== "open" && body.dataset.state !== "checking") return;
  function two(n) { return n < 10 ? "0" + n : String(n); }
  function tick() {
    var left = Math.max(0, ends - performance.now()), s = Math.round(left / 1000);
    clock.textContent = Math.floor(s / 60) + ":" + two(s % 60);
    ring.setAttribute("stroke-dashoffset", String(100 - 100 * Math.min(1, left / total)));
  }
  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(ask, Math.min(30000, 2000 * Math.pow(2, misses)));
  }
  function ask() {
    if (document.hidden) return;
    fetch(location.pathname.replace(/\/$/, "") + "/state", { cache: "no-store" }).then(function (r) { return r.json(); }).then(function (now) {
      misses = 0;
      if (now.state !== body.dataset.state) return location.reload();
      ends = performance.now() + now.left_s * 1000;
      later();
    }).catch(function () { misses += 1; later(); });
  }
  var bridge = document.getElementById("bridge"), given = document.querySelector('meta[name="payment-code"]');
  function pay() {
    if (typeof WeixinJSBridge === "undefined") return;
    WeixinJSBridge.invoke("getBrandWCPayRequest", JSON.parse(given.content), ask);
  }
  if (bridge && given) {
    bridge.addEventListener("click", pay);
    if (typeof WeixinJSBridge === "undefined") document.addEventListener("WeixinJSBridgeReady", pay, { once: true }); else pay();
  }
  document.addEventListener("visibilitychange", function () { if (!document.hidden) ask(); });
  if (clock) setInterval(tick, 1000);
  later();
})();
