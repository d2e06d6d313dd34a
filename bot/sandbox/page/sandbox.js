"use strict";
// The sandbox page: reads the world over /sandbox/…, draws it, and draws again when the news say that it has changed.

const $ = (id) => document.getElementById(id);
const user = Number(new URLSearchParams(location.search).get("user")) || 1001;
const faults = new Set();
const drawn = new Map(); // message_id -> {text, element}
let tongue = localStorage.getItem("moongate.tongue") || (navigator.language.startsWith("zh") ? "zh" : "en");
let wallets = [], institutions = [], messages = [], input = {keys: [], placeholder: "", reply_to: null}, commands = [];
let ahead = 0, toastTimer = 0, walletTimer = 0;

// ---------------------------------------------------------------------------------------------------------- words

const WORDS = {
  en: {
    skip: "Skip to the chat", sandbox: "sandbox", note: "Play money. Nothing here leaves this machine.", tools: "Sandbox", clock: "Clock",
    plus1: "+1 min", plus16: "+16 min", faults: "Faults", reset: "Reset", view: "View", chat: "Chat", wallets: "Wallets", messages: "Messages",
    welcome: "A gate in the garden wall", welcome2: "Write to the bot, order something, and pay with any wallet beside it.", walkin: "Walk in",
    typing: "typing", commands: "Commands", message: "Message", send: "Send", orders: "Orders", noorders: "Nothing ordered yet.",
    scripts: "All of this as a JSON interface", scan: "Scan", scanThis: "Scan this code", paycode: "Payment code", history: "History",
    payWith: "Pay with …", close: "Close", payTo: "Pay", confirm: "Confirm payment", another: "Choose another wallet", wallet: "Wallet",
    what: "For", balance: "Balance", provider: "Collected by", through: "Cleared by", paid: "Paid", sent: "The shop will hear of it in a moment.", openPage: "Open the payment page",
    pasteCode: "Or paste the text of any code", codeText: "Code", newest: "The newest code in the chat", scanWith: "Scan with", noCode: "There is no code in the chat yet.",
    showCode: "Show this to be scanned. It changes every minute.", sendPhoto: "Send it to the chat as a picture", sendDigits: "Send the digits", askPassword: "Ask me for a password next time", enterPassword: "Enter the password",
    noMoves: "Nothing has moved yet.", edited: "edited", copied: "Copied", reconnecting: "The sandbox is away. Trying again …",
    resetAsk: "Start a fresh world?", resetText: "Chats, orders and wallets go back to the first day.", resetDo: "Start afresh", keep: "Keep this one",
    faultsTitle: "What should go wrong?", faultsText: "Each is used up by the next payment you confirm.", faultsNone: "Nothing, all well",
    advanced: "The clock has moved.", silent: "The bot has not answered.", photo: "Picture", document: "File", code: "QR code", noCommands: "The bot has set no commands.",
    withFaults: "Going wrong", alert: "The bot says", okay: "All right", payStars: "Pay with Telegram Stars?", receiveWith: "Receive with …", received: "Received", onItsWay: "On its way", attempts: "attempts",
  },
  zh: {
    skip: "跳到聊天", sandbox: "沙盒", note: "都是游戏币，什么都不会离开这台机器。", tools: "沙盒", clock: "时钟",
    plus1: "+1 分钟", plus16: "+16 分钟", faults: "故障", reset: "重置", view: "视图", chat: "聊天", wallets: "钱包", messages: "消息",
    welcome: "花园墙上的月门", welcome2: "给机器人发消息，点一单，再用旁边的任何钱包付款。", walkin: "走进去",
    typing: "正在输入", commands: "命令", message: "消息", send: "发送", orders: "订单", noorders: "还没有订单。",
    scripts: "以上一切的 JSON 接口", scan: "扫一扫", scanThis: "扫这个码", paycode: "付款码", history: "明细",
    payWith: "用哪个钱包付？", close: "关闭", payTo: "付款", confirm: "确认付款", another: "换一个钱包", wallet: "钱包",
    what: "商品", balance: "余额", provider: "收款机构", through: "清算机构", paid: "支付成功", sent: "商家马上会收到通知。", openPage: "打开付款页面",
    pasteCode: "或粘贴任意码的文本", codeText: "码", newest: "聊天里最新的码", scanWith: "扫码：", noCode: "聊天里还没有码。",
    showCode: "出示给商家扫。每分钟更新。", sendPhoto: "以图片发到聊天", sendDigits: "发送数字", askPassword: "下次付款时要求输入密码", enterPassword: "输入密码",
    noMoves: "还没有收支。", edited: "已编辑", copied: "已复制", reconnecting: "沙盒不在，正在重连……",
    resetAsk: "从头开始？", resetText: "聊天、订单和钱包都回到第一天。", resetDo: "从头开始", keep: "保留现状",
    faultsTitle: "让什么出错？", faultsText: "每一项只用于你确认的下一笔付款。", faultsNone: "一切正常",
    advanced: "时钟已拨快。", silent: "机器人没有回应。", photo: "图片", document: "文件", code: "二维码", noCommands: "机器人没有设置命令。",
    withFaults: "将会出错", alert: "机器人说", okay: "好的", payStars: "用 Telegram 星星付款？", receiveWith: "用哪个钱包收？", received: "已收款", onItsWay: "正在转入", attempts: "次尝试",
  },
};
const CLEARING = {
  unionpay: ["UnionPay", "银联"], netsunion: ["NetsUnion", "网联"], unpublished: ["not published", "未公布"], direct: ["the code itself", "聚合码直连"],
};
const FAULTS = {
  notify_lost: ["The notification never arrives", "通知永远不到"], notify_late: ["It arrives two minutes late", "通知迟到两分钟"],
  notify_twice: ["It arrives twice", "通知到两次"], notify_reordered: ["A later one overtakes it", "被后来的通知赶超"],
  notify_forged: ["A stranger's forgery comes first", "先到一份伪造的通知"], wrong_amount: ["It names a wrong amount", "金额不对"],
  bad_signature: ["Its signature is wrong", "签名不对"], no_signature: ["It is not signed", "没有签名"],
  unknown_key: ["It is signed with an unknown key", "用未知的密钥签名"], stale_clock: ["Its time is long past", "时间戳已过期"],
  timeout_before: ["The next call is not heard", "下一次调用没有送达"], timeout_after: ["The next call is done, its answer is lost", "下一次调用已生效，但应答丢失"],
  http_500_before: ["The next call fails with 500", "下一次调用返回 500"], http_500_after: ["It is done, and then fails with 500", "已生效，却返回 500"],
  truncated: ["The next answer is cut short", "下一个应答被截断"], garbage: ["The next answer is nonsense", "下一个应答是乱码"],
};
const STATES = {
  offered: ["waiting to be claimed", "待领取"], awaits_payee: ["to be accepted", "待确认收款"], withdrawn: ["taken back", "已撤回"],
  created: ["created", "已创建"], pending: ["waiting", "待付款"], paid: ["paid", "已付款"], expired: ["expired", "已过期"], failed: ["failed", "失败"],
  cancelled: ["cancelled", "已取消"], partly_refunded: ["partly refunded", "部分退款"], refunded: ["refunded", "已退款"], paid_late: ["paid late", "迟到付款"],
  needs_review: ["needs review", "待核对"], intent: ["opening", "下单中"], opened: ["open", "待支付"], unknown: ["unclear", "未知"], closed: ["closed", "已关闭"],
  declined: ["declined", "被拒"], overpaid: ["paid too", "重复支付"], reserved: ["reserved", "已预留"], sent: ["sent", "已提交"], done: ["done", "已完成"],
};
const stateName = (state) => pair(STATES[state] || [state, state]);
const t = (key) => WORDS[tongue][key];
const pair = ([english, chinese]) => (tongue === "zh" ? chinese : english);
const walletName = (wallet) => (tongue === "zh" ? wallet.name_zh : wallet.name);
const institutionName = (id) => { const found = institutions.find((one) => one.provider === id); return found ? walletName(found) : id; };

function money(minor, currency) {
  if (currency === "XTR") return `★${minor}`; // whole Stars; browsers would cut off two digits
  try {
    const form = new Intl.NumberFormat(tongue === "zh" ? "zh-CN" : "en", {style: "currency", currency, currencyDisplay: "narrowSymbol"});
    return form.format(minor / 10 ** form.resolvedOptions().maximumFractionDigits);
  } catch { return `${minor} ${currency}`; }
}

function speak() {
  document.documentElement.lang = tongue === "zh" ? "zh-Hans" : "en";
  for (const e of document.querySelectorAll("[data-t]")) e.textContent = t(e.dataset.t);
  for (const e of document.querySelectorAll("[data-t-label]")) e.setAttribute("aria-label", t(e.dataset.tLabel));
  const other = tongue === "zh" ? ["English", "Switch to English", "en"] : ["中文", "切换到中文", "zh"];
  $("tongue").textContent = other[0];
  $("tongue").setAttribute("aria-label", other[1]);
  $("tongue").lang = other[2];
  drawn.clear();
  $("messages").replaceChildren();
}

// --------------------------------------------------------------------------------------------------------- calling

async function call(method, path, body) {
  const init = {method, headers: {"Accept-Language": tongue === "zh" ? "zh-CN" : "en"}, cache: "no-store"};
  if (body !== undefined) { init.body = JSON.stringify(body); init.headers["Content-Type"] = "application/json"; }
  const reply = await fetch(path, init);
  const told = await reply.json();
  if (!reply.ok) throw new Error(told.error || `HTTP ${reply.status}`);
  return told;
}
const person = (what, body) => call("POST", `/sandbox/users/${user}/${what}`, {...body, language: tongue === "zh" ? "zh-hans" : "en"});

// One fetch of a kind at a time; whoever asks meanwhile gets one more afterwards.
function lazily(work) {
  let running = false, again = false;
  return async function run() {
    if (running) { again = true; return; }
    running = true;
    try { do { again = false; await work(); } while (again); } catch { /* the news stream tells when it is back */ } finally { running = false; }
  };
}

// ---------------------------------------------------------------------------------------------------------- drawing

function make(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "class") e.className = value;
    else if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (name in e && name !== "list") e[name] = value;
    else e.setAttribute(name, value);
  }
  e.append(...children.filter((child) => child !== null && child !== undefined));
  return e;
}

const TAGS = {bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote", spoiler: "span"};
function rich(text, entities) {
  const cuts = new Set([0, text.length]);
  for (const e of entities) { cuts.add(e.offset); cuts.add(Math.min(e.offset + e.length, text.length)); }
  const places = [...cuts].sort((a, b) => a - b);
  const out = document.createDocumentFragment();
  for (let i = 0; i + 1 < places.length; i++) {
    let node = document.createTextNode(text.slice(places[i], places[i + 1]));
    for (const e of entities) {
      if (e.offset > places[i] || e.offset + e.length < places[i + 1]) continue;
      const href = e.url || (e.type === "url" ? text.slice(e.offset, e.offset + e.length) : "");
      if (/^https?:\/\//.test(href)) node = make("a", {href, target: "_blank", rel: "noopener noreferrer"}, node);
      else if (TAGS[e.type]) node = make(TAGS[e.type], {}, node);
    }
    out.append(node);
  }
  return out;
}

function bubble(message) {
  const parts = [];
  const quoted = message.reply_to && messages.find((m) => m.message_id === message.reply_to);
  if (quoted) parts.push(make("span", {class: "quote"}, quoted.text || t("photo")));
  if (message.photo) parts.push(picture(message.photo));
  if (message.document) parts.push(make("p", {class: "text"}, `📄 ${message.document}`));
  const clock = new Date(message.date * 1000).toLocaleTimeString(tongue === "zh" ? "zh-CN" : "en-GB", {hour: "2-digit", minute: "2-digit"});
  const at = make("time", {class: "at"}, (message.edited && !message.from_bot ? `${t("edited")} ` : "") + clock);
  if (message.text) parts.push(make("div", {class: "text"}, rich(message.text, message.entities), at));
  const side = message.from_bot ? "msg" : "msg mine";
  return make("li", {class: side, "data-id": String(message.message_id)}, make("div", {class: "bubble"}, ...parts), keyboard(message));
}

function picture(photo) {
  const image = make("img", {src: photo.url, alt: photo.qr_text ? t("code") : t("photo"), onload: stick});
  if (!photo.qr_text) return make("span", {class: "photo"}, image);
  const hint = make("span", {class: "hint"}, t("scanThis"));
  return make("button", {type: "button", class: "photo code", "aria-haspopup": "dialog", onclick: () => chooseWallet(photo.qr_text)}, image, hint);
}

function keyboard(message) {
  if (!message.buttons.length) return null;
  const rows = message.buttons.map((row, r) => make("div", {}, ...row.map((button, c) => {
    const mark = button.url ? make("span", {class: "mark", "aria-hidden": "true"}, "↗") : button.copies ? make("span", {class: "mark copies", "aria-hidden": "true"}) : null;
    const key = make("button", {type: "button", class: button.style || ""}, button.label, mark);
    key.addEventListener("click", () => tap(key, message, r, c));
    return key;
  })));
  return make("div", {class: "rows"}, ...rows);
}

const nearEnd = () => $("scroll").scrollHeight - $("scroll").scrollTop - $("scroll").clientHeight < 160;
let sticking = true, pulled = true, stuckAt = 0;
// Keeps the end of the chat in view, or the beginning of a last message that is taller than the view.
function stick() {
  const box = $("scroll"), last = $("messages").lastElementChild;
  if (!sticking || !last) return;
  box.scrollTop = last.offsetHeight > box.clientHeight ? last.offsetTop - box.offsetTop - 8 : box.scrollHeight;
  stuckAt = box.scrollTop;
}

function place(message, before) {
  const text = JSON.stringify(message);
  const old = drawn.get(message.message_id);
  if (old && old.text === text) return old.element;
  const element = bubble(message);
  if (old) {
    element.classList.add("redrawn");
    const spot = [...old.element.querySelectorAll("button")].indexOf(document.activeElement);
    old.element.replaceWith(element);
    if (spot >= 0) (element.querySelectorAll("button")[spot] || element.querySelector("button"))?.focus({preventScroll: true});
  } else if (before) before.after(element);
  else $("messages").prepend(element);
  drawn.set(message.message_id, {text, element});
  return element;
}

const readChat = lazily(async () => {
  const told = await call("GET", `/sandbox/users/${user}/chat`);
  sticking = pulled || nearEnd() || Math.abs($("scroll").scrollTop - stuckAt) < 4;
  pulled = false;
  messages = told.messages; input = told.input; commands = told.commands;
  const here = new Set(messages.map((m) => m.message_id));
  for (const [id, {element}] of drawn) if (!here.has(id)) { element.remove(); drawn.delete(id); }
  let last = null;
  for (const message of messages) last = place(message, last);
  $("empty").hidden = messages.length > 0;
  $("typing").hidden = !told.action;
  if (told.action) setTimeout(readChat, 2500);
  drawInput();
  stick();
});

function drawInput() {
  const words = $("words");
  words.placeholder = input.placeholder || t("message");
  if (input.reply_to && words.dataset.replyTo !== String(input.reply_to) && !$("sheet").open && matchMedia("(hover: hover)").matches) words.focus();
  words.dataset.replyTo = input.reply_to || "";
  $("keys").hidden = !input.keys.length;
  $("keys").replaceChildren(...input.keys.map((row) => make("div", {}, ...row.map((key) => make("button", {type: "button", onclick: () => say({text: key})}, key)))));
}

const readWallets = lazily(async () => {
  const told = await call("GET", "/sandbox/wallets");
  const before = new Map(wallets.map((w) => [w.id, w.balance_minor]));
  wallets = told.wallets;
  const focused = document.activeElement?.dataset?.act;
  $("wallets").replaceChildren(...wallets.map((w) => walletCard(w, before.has(w.id) && before.get(w.id) !== w.balance_minor)));
  if (focused) document.querySelector(`[data-act="${focused}"]`)?.focus();
});

function walletCard(wallet, changed) {
  const act = (name, work) => make("button", {type: "button", "aria-haspopup": "dialog", "data-act": `${wallet.id}.${name}`, onclick: work}, t(name), make("span", {class: "visually-hidden"}, ` ${walletName(wallet)}`));
  return make("li", {class: `wallet ${wallet.id}`},
    make("h3", {}, walletName(wallet), ...(wallet.wallet_class ? [make("small", {}, ` ${wallet.wallet_class}`)] : [])),
    make("span", {class: changed ? "balance changed" : "balance"}, money(wallet.balance_minor, wallet.currency)),
    make("div", {class: "acts"}, act("scan", () => scanner(wallet)), act("paycode", () => payerCode(wallet)), act("history", () => history(wallet))));
}

const readOrders = lazily(async () => {
  const {orders} = await call("GET", "/sandbox/orders");
  $("no-orders").hidden = orders.length > 0;
  $("orders").replaceChildren(...orders.slice(-20).reverse().map((order) => {
    const tries = order.attempts.map((a) => `${institutionName(a.provider)}: ${stateName(a.state)}`).concat(order.refunds.map((r) => `↩ ${money(r.amount_minor, order.currency)} ${stateName(r.state)}`))
      .concat(order.payouts.map((p) => `→ ${money(p.amount_minor, order.currency)} ${stateName(p.state)}`));
    return make("li", {class: "order"},
      make("span", {class: "title"}, order.title), make("span", {class: "amount"}, money(order.amount_minor, order.currency)),
      make("small", {}, tries.join(" · ") || order.id), make("span", {class: `state ${order.state}`}, stateName(order.state)));
  }));
});

const readInstitutions = lazily(async () => { institutions = (await call("GET", "/sandbox/institutions")).institutions; });

async function readClock() {
  try { ahead = (await call("GET", "/sandbox/clock")).ahead_s; drawClock(); } catch { /* back soon */ }
}
function drawClock() {
  const now = new Date(Date.now() + ahead * 1000);
  $("time").textContent = now.toLocaleTimeString(tongue === "zh" ? "zh-CN" : "en-GB", {hour: "2-digit", minute: "2-digit", second: "2-digit"});
  $("time").dateTime = now.toISOString();
}

function toast(text, lasting = false) {
  clearTimeout(toastTimer);
  $("toast").textContent = text;
  $("toast").classList.add("shown");
  if (!lasting) toastTimer = setTimeout(hush, 3200);
}
function hush() {
  $("toast").classList.remove("shown");
  toastTimer = setTimeout(() => { $("toast").textContent = ""; }, 200);
}

// ---------------------------------------------------------------------------------------------------------- doing

async function say(what) {
  try { await person("send", what); pulled = true; } catch (error) { toast(error.message); }
  readChat();
}

async function tap(key, message, row, col) {
  const button = message.buttons[row][col];
  if (button.url) return followLink(button.url);
  if (button.copies) return copy(button.copies);
  key.classList.add("busy");
  try {
    const told = await person("tap", {message_id: message.message_id, row, col});
    if (told.alert) tell(told.toast); else if (told.toast) toast(told.toast); else if (!told.answered) toast(t("silent"));
    if (told.url) followLink(told.url);
  } catch (error) { toast(error.message); }
  key.classList.remove("busy");
}

async function copy(text) {
  try { await navigator.clipboard.writeText(text); toast(`${t("copied")}: ${text}`); } catch { toast(text); }
}

// The host's own one-code link is a thing to pay; any other address is a page to open.
function followLink(url) {
  if (/^https?:\/\/[^/]+\/[pc]\/[^/]+$/.test(url)) return chooseWallet(url, url);
  if (/^https:\/\/t\.me\/(\$|invoice\/)/.test(url)) return confirmInvoice(url);
  if (/^https?:\/\//.test(url)) window.open(url, "_blank", "noopener,noreferrer");
}

// A Telegram client asks once more before it pays an invoice; so does this page.
async function confirmInvoice(link) {
  const {stars} = await call("GET", `/sandbox/users/${user}/stars`);
  const confirm = make("button", {type: "button", class: "main", autofocus: true}, t("confirm"));
  const trouble = make("div");
  confirm.addEventListener("click", async () => {
    confirm.disabled = true;
    try {
      const paid = await person("pay", {link});
      $("sheet").close(); toast(`${t("paid")}: ${money(paid.amount_minor, paid.currency)}`);
    } catch (error) { trouble.replaceChildren(wrong(error.message)); confirm.disabled = false; }
  });
  sheet(t("payStars"), make("p", {class: "quiet"}, `${t("balance")}: ${money(stars, "XTR")}`), confirm, trouble);
}

function sheet(title, ...children) {
  const box = $("sheet");
  clearInterval(walletTimer);
  const close = make("button", {type: "button", class: "close", "aria-label": t("close"), onclick: () => box.close()}, "×");
  box.replaceChildren(make("h2", {id: "sheet-title"}, title), ...children.filter(Boolean), close);
  if (!box.open) box.showModal();
  (box.querySelector("[autofocus]") || box.querySelector("input, button"))?.focus();
  return box;
}
const wrong = (text) => make("p", {class: "wrong", role: "alert"}, text);
const pick = (wallet, work) => make("button", {type: "button", class: "pick", onclick: work},
  make("i", {class: wallet.id, "aria-hidden": "true"}), make("b", {}, walletName(wallet)), make("span", {}, money(wallet.balance_minor, wallet.currency)));

function chooseWallet(code, link = "", trouble = "") {
  const list = make("div", {class: "list"}, ...wallets.map((wallet) => pick(wallet, () => scan(wallet, code, link))));
  const title = isClaim(code) ? t("receiveWith") : t("payWith");
  const page = link ? make("button", {type: "button", class: "second", onclick: () => { $("sheet").close(); window.open(link, "_blank", "noopener,noreferrer"); }}, t("openPage")) : null;
  sheet(title, trouble ? wrong(trouble) : null, list, page);
}

async function scan(wallet, code, link = "") {
  for (const button of $("sheet").querySelectorAll("button.pick, button.main")) button.disabled = true;
  try {
    const bill = await call("POST", `/sandbox/wallets/${wallet.id}/scan`, {code});
    if (bill.scheme === "claim") showReceived(bill); else confirmBill(wallet, bill, code, link);
  }
  catch (error) { chooseWallet(code, link, error.message); }
}

function confirmBill(wallet, bill, code, link) {
  const fact = (name, value) => [make("dt", {}, name), make("dd", {}, value)];
  const confirm = make("button", {type: "button", class: "main", autofocus: true}, t("confirm"));
  const facts = make("dl", {class: "facts"}, ...fact(t("what"), bill.title), ...fact(t("wallet"), `${walletName(wallet)} · ${money(wallet.balance_minor, wallet.currency)}`), ...fact(t("provider"), institutionName(bill.provider)),
    ...(CLEARING[bill.clearing] ? fact(t("through"), pair(CLEARING[bill.clearing])) : []),
    ...(faults.size ? fact(t("withFaults"), [...faults].map((f) => pair(FAULTS[f])).join("; ")) : []));
  const trouble = make("div");
  confirm.addEventListener("click", async () => {
    confirm.disabled = true;
    try {
      await call("POST", `/sandbox/wallets/${wallet.id}/pay`, {bill: bill.bill, faults: [...faults]});
      faults.clear(); countFaults(); showPaid(bill);
    } catch (error) { trouble.replaceChildren(wrong(error.message)); confirm.disabled = false; }
  });
  sheet(t("payTo"), make("div", {class: "bill"}, make("p", {class: "payee"}, bill.payee), make("p", {class: "amount"}, money(bill.amount_minor, bill.currency))),
    facts, confirm, make("button", {type: "button", class: "second", onclick: () => chooseWallet(code, link)}, t("another")), trouble);
}

function isClaim(code) { return /^https?:\/\/[^/]+\/c\/[^/]+$/.test(code); }

function showPaid(bill) { showGate(t("paid"), bill, t("sent")); }

function showReceived(bill) { showGate(bill.state === "received" ? t("received") : t("onItsWay"), bill, bill.title); }

function showGate(title, bill, words) {
  const box = sheet(title, make("div", {class: "paid-gate"}, make("span", {class: "opening", "aria-hidden": "true"}, make("i")),
    make("b", {class: "amount"}, money(bill.amount_minor, bill.currency)), make("p", {class: "quiet", role: "status"}, words)));
  view("chat");
  pulled = true;
  setTimeout(() => { if (box.querySelector(".paid-gate")) { box.close(); $("words").focus({preventScroll: true}); } }, 1800);
}

function scanner(wallet) {
  const newest = [...messages].reverse().find((m) => m.photo && m.photo.qr_text);
  const field = make("input", {"aria-label": t("codeText"), placeholder: t("pasteCode"), maxLength: 2048});
  const paste = make("form", {class: "paste", onsubmit: (e) => { e.preventDefault(); if (field.value.trim()) scan(wallet, field.value.trim()); }}, field, make("button", {class: "main"}, t("scan")));
  const shown = newest ? make("button", {type: "button", class: "photo code", onclick: () => scan(wallet, newest.photo.qr_text)}, make("img", {src: newest.photo.url, alt: t("newest")}), make("span", {class: "hint"}, t("scanThis"))) : make("p", {class: "quiet"}, t("noCode"));
  sheet(`${t("scanWith")} ${walletName(wallet)}`, make("div", {class: "list"}, shown), paste);
}

function password(wallet, wanted, label) {
  const hold = async () => { await call("POST", `/sandbox/wallets/${wallet.id}/password`, {wanted}); $("sheet").close(); };
  return make("button", {type: "button", class: "second", onclick: hold}, t(label));
}

function payerCode(wallet) {
  const image = make("img", {alt: t("paycode")}), digits = make("p", {class: "digits"});
  const draw = async () => {
    await readWallets();
    const code = wallets.find((w) => w.id === wallet.id)?.payer_code || "";
    if (digits.dataset.code === code) return;
    digits.dataset.code = code;
    digits.textContent = code.replace(/(\d{4})(?=\d)/g, "$1 ");
    image.src = `/sandbox/qr?text=${code}`;
  };
  const send = (as) => { $("sheet").close(); view("chat"); say({[as]: digits.dataset.code}); };
  sheet(`${walletName(wallet)} · ${t("paycode")}`, make("div", {class: "show"}, image, digits, make("p", {class: "quiet"}, t("showCode"))),
    make("button", {type: "button", class: "main", autofocus: true, onclick: () => send("qr")}, t("sendPhoto")), make("button", {type: "button", class: "second", onclick: () => send("text")}, t("sendDigits")),
    password(wallet, true, "askPassword"), password(wallet, false, "enterPassword"));
  draw();
  walletTimer = setInterval(draw, 5000);
}

async function history(wallet) {
  const {moves} = await call("GET", `/sandbox/wallets/${wallet.id}/history`);
  const lines = moves.map((move) => make("li", {}, make("span", {}, move.memo), make("span", {class: "amount"}, (move.minor > 0 ? "+" : "") + money(move.minor, wallet.currency)), make("small", {}, new Date(move.at).toLocaleString())));
  sheet(`${walletName(wallet)} · ${t("history")}`, moves.length ? make("ul", {class: "list moves"}, ...lines) : make("p", {class: "quiet"}, t("noMoves")));
}

function tell(text) { sheet(t("alert"), make("p", {class: "show"}, text), make("button", {type: "button", class: "main", autofocus: true, onclick: () => $("sheet").close()}, t("okay"))); }

function chooseFaults() {
  const boxes = Object.entries(FAULTS).map(([name, words]) => {
    const box = make("input", {type: "checkbox", checked: faults.has(name), onchange: () => { if (box.checked) faults.add(name); else faults.delete(name); countFaults(); }});
    return make("label", {class: "check"}, box, make("span", {}, pair(words)), make("small", {}, name));
  });
  sheet(t("faultsTitle"), make("p", {class: "quiet"}, t("faultsText")), make("div", {class: "list"}, ...boxes),
    make("button", {type: "button", class: "second", onclick: () => { faults.clear(); countFaults(); $("sheet").close(); }}, t("faultsNone")));
}
function countFaults() { $("faults-count").hidden = !faults.size; $("faults-count").textContent = faults.size; }

function chooseCommand() {
  const lines = commands.map((line) => make("button", {type: "button", class: "pick", onclick: () => { $("sheet").close(); say({text: `/${line.command}`}); }}, make("b", {}, `/${line.command}`), make("span", {}, line.description)));
  if (!lines.length) lines.push(make("button", {type: "button", class: "pick", onclick: () => { $("sheet").close(); say({text: "/start"}); }}, make("b", {}, "/start"), make("span", {}, t("noCommands"))));
  sheet(t("commands"), make("div", {class: "list"}, ...lines));
}

function askReset() {
  const go = make("button", {type: "button", class: "main"}, t("resetDo"));
  go.addEventListener("click", async () => { go.disabled = true; try { await call("POST", "/sandbox/reset"); } catch (error) { toast(error.message); } $("sheet").close(); });
  sheet(t("resetAsk"), make("p", {class: "show quiet"}, t("resetText")), go, make("button", {type: "button", class: "second", autofocus: true, onclick: () => $("sheet").close()}, t("keep")));
}

function view(name) {
  document.body.dataset.view = name;
  for (const tab of document.querySelectorAll("[data-tab]")) tab.setAttribute("aria-pressed", String(tab.dataset.tab === name));
  if (name === "chat") stick();
}

// --------------------------------------------------------------------------------------------------------- starting

function readAll() { readInstitutions(); readChat(); readWallets(); readOrders(); readClock(); }

function listen() {
  const news = new EventSource("/sandbox/events");
  let away = false;
  news.onopen = () => { if (away) hush(); away = false; readAll(); };
  news.onerror = () => { if (!away) toast(t("reconnecting"), true); away = true; if (news.readyState === EventSource.CLOSED) setTimeout(listen, 1000); };
  news.addEventListener("chat", () => { readChat(); readOrders(); });
  news.addEventListener("wallets", () => { readWallets(); readOrders(); });
  news.addEventListener("clock", () => { readClock(); readOrders(); readWallets(); });
  news.addEventListener("reset", readAll);
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("words").value.trim();
  if (!text) return;
  $("words").value = "";
  say(input.reply_to ? {text, reply_to: input.reply_to} : {text});
});
$("menu").addEventListener("click", chooseCommand);
$("walk-in").addEventListener("click", () => { say({text: "/start"}); $("words").focus({preventScroll: true}); });
$("faults-open").addEventListener("click", chooseFaults);
$("reset").addEventListener("click", askReset);
$("tongue").addEventListener("click", () => {
  tongue = tongue === "zh" ? "en" : "zh";
  localStorage.setItem("moongate.tongue", tongue);
  speak(); drawClock(); readAll();
});
for (const button of document.querySelectorAll("[data-advance]")) button.addEventListener("click", async () => {
  try { ahead = (await call("POST", "/sandbox/clock", {advance_s: Number(button.dataset.advance)})).ahead_s; drawClock(); toast(t("advanced")); } catch (error) { toast(error.message); }
});
for (const tab of document.querySelectorAll("[data-tab]")) tab.addEventListener("click", () => view(tab.dataset.tab));
$("sheet").addEventListener("click", (event) => { if (event.target === $("sheet")) $("sheet").close(); });
$("sheet").addEventListener("close", () => clearInterval(walletTimer));
speak();
drawClock();
setInterval(drawClock, 1000);
setInterval(() => { if (!document.hidden) readOrders(); }, 5000);
setInterval(() => { if (!document.hidden) readWallets(); }, 20000);
listen();
