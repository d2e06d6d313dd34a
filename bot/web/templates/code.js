"use strict";
// Counts down, and asks how the order stands; a change of state loads the page anew. Without it, meta refresh does.
(function () {
  var body = document.body, clock = document.getElementById("left");
  var ends = performance.now() + Number(body.dataset.left) * 1000, misses = 0;
  if (body.dataset.state !== "open" && body.dataset.state !== "checking") return;
  function two(n) { return n < 10 ? "0" + n : String(n); }
  function tick() {
    var s = Math.max(0, Math.round((ends - performance.now()) / 1000));
    if (clock) clock.textContent = Math.floor(s / 60) + ":" + two(s % 60);
  }
  function later() { setTimeout(ask, Math.min(30000, 2000 * Math.pow(2, misses))); }
  function ask() {
    if (document.hidden) return later();
    fetch(location.pathname.replace(/\/$/, "") + "/state", { cache: "no-store" }).then(function (r) { return r.json(); }).then(function (now) {
      misses = 0;
      if (now.state !== body.dataset.state) return location.reload();
      ends = performance.now() + now.left_s * 1000;
      later();
    }).catch(function () { misses += 1; later(); });
  }
  if (clock) setInterval(tick, 1000);
  later();
})();
