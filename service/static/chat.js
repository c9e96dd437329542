// The web chat: one session kept in this browser, messages sent once, files with progress, news by server-sent events.
"use strict";
const BASE = "/channels/webchat/sessions";
const WHO = { resident: "我", assistant: "智能助手", staff: "工作人员" };
const find = id => document.getElementById(id);
const log = find("log"), form = find("say"), box = form.elements.text, picker = form.elements.file, note = find("note");
const seen = new Set(), title = document.title, framed = window.parent !== window;
let session = recall("huiyin-session"), opening = null, stream = null, watched = !framed && document.hasFocus(), unread = 0, waiting = 0;

function recall(key) { try { return JSON.parse(localStorage.getItem(key) || "null"); } catch (error) { return null; } }
function keep(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); } catch (error) { /* a browser that keeps nothing still talks */ } }
const auth = () => ({ Authorization: `Bearer ${session.token}` });
const here = path => `${BASE}/${session.session}/${path}`;
const newId = () => (crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now());

// The session

async function open() {
  if (!session) {
    const answer = await fetch(BASE, { method: "POST" });
    if (!answer.ok) throw new Error("暂时连不上，请稍后再试。");
    session = await answer.json();
    keep("huiyin-session", session);
  }
  listen();
}

// Who writes before the session stands waits for it; one that could not be opened is tried again.
const opened = () => session ? Promise.resolve() : opening || (opening = open().finally(() => { opening = null; }));

function change(next) {
  session = next; keep("huiyin-session", next); keep("huiyin-read", 0);
  seen.clear(); log.querySelectorAll(".line:not(:first-child)").forEach(line => line.remove());
  return session ? open() : opened();
}

function listen() {
  if (stream) stream.close();
  stream = new EventSource(here(`events?state=1&token=${encodeURIComponent(session.token)}`));
  stream.addEventListener("message", event => show(JSON.parse(event.data)));
  stream.addEventListener("state", event => showState(JSON.parse(event.data)));
  stream.onopen = () => { note.textContent = ""; };
  stream.onerror = async () => {
    note.textContent = "连接断开，正在重新连接…";
    const answer = await fetch(here("messages?after=9007199254740991"), { headers: auth() }).catch(() => null);
    if (answer && (answer.status === 401 || answer.status === 404)) { stream.close(); change(null); }
    else if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  };
}

// What is said

function show(item) {
  if (seen.has(item.seq)) return;
  seen.add(item.seq);
  const pending = item.id && document.querySelector(`[data-id="${CSS.escape(item.id)}"]`);
  if (pending) pending.remove();
  log.querySelectorAll(".choices").forEach(old => old.remove());
  const line = add(item.from, item.text);
  for (const file of item.attachments || []) line.append(fileLink(file));
  if ((item.choices || []).length) {
    const row = document.createElement("div"); row.className = "choices";
    for (const choice of item.choices) { const b = document.createElement("button"); b.type = "button"; b.textContent = choice; b.onclick = () => send(choice); row.append(b); }
    line.append(row);
  }
  if (item.from !== "resident") { expect(false); count(item.seq); }
  log.scrollTop = log.scrollHeight;
}

function add(from, text) {
  const line = document.createElement("div"); line.className = `line ${from}`;
  const who = document.createElement("span"); who.className = "who"; who.textContent = WHO[from] || from;
  line.append(who, document.createTextNode(text)); log.append(line);
  return line;
}

function fileLink(file) {
  const link = document.createElement("a"); link.className = "file"; link.download = file.name; link.textContent = file.name;
  link.href = `${file.url}?token=${encodeURIComponent(session.token)}`;
  return link;
}

// Who is there, and who is writing

function showState(state) {
  find("state").textContent = state.holder !== "staff" ? "智能助手为您服务" : state.name ? `工作人员${state.name}正在为您服务` : "已转人工，工作人员马上就来";
  find("state").classList.toggle("person", state.holder === "staff" && Boolean(state.name));
  find("typing").hidden = !(state.typing || waiting);
}

function expect(yes) {
  clearTimeout(waiting);
  waiting = yes ? setTimeout(() => expect(false), 20000) : 0;
  find("typing").hidden = !yes;
}

// What was not read yet

function count(seq) {
  if (watched) { keep("huiyin-read", seq); return; }
  if (seq > (recall("huiyin-read") || 0)) tellUnread(unread + 1);
}

function tellUnread(number) {
  unread = number;
  document.title = number ? `（${number}）${title}` : title;
  if (framed) window.parent.postMessage({ huiyin: "unread", count: number }, "*");
}

function look(now) {
  watched = now;
  if (now) { keep("huiyin-read", Math.max(0, ...seen)); tellUnread(0); }
}

if (framed) window.addEventListener("message", event => { if (event.source === window.parent && event.data && event.data.huiyin === "shown") { look(event.data.open); if (event.data.open) box.focus(); } });
else { window.addEventListener("focus", () => look(true)); window.addEventListener("blur", () => look(false)); }

// Sending

async function send(text) {
  const id = newId(), line = add("resident", text); line.dataset.id = id; log.scrollTop = log.scrollHeight;
  for (let tries = 0; tries < 5; tries++) {
    try {
      await opened();
      const answer = await fetch(here("messages"), { method: "POST", headers: { ...auth(), "Content-Type": "application/json" }, body: JSON.stringify({ id, text }) });
      if (answer.ok) { if (answer.status === 202) expect(true); return; }
      if (answer.status === 429) { note.textContent = "发得太快了，稍等一下会自动再发。"; }
      else if (answer.status < 500) { note.textContent = "这条消息没有发出去，请刷新页面再试。"; return; }
    } catch (error) { note.textContent = "网络不通，正在重试…"; }
    await new Promise(done => setTimeout(done, 2000 * (tries + 1)));
  }
  note.textContent = "这条消息没有发出去，请稍后再试。";
}

function sendFile(file) {
  const id = newId(), line = add("resident", file.name); line.dataset.id = id;
  const bar = document.createElement("progress"); bar.max = 1; bar.value = 0; line.append(bar); log.scrollTop = log.scrollHeight;
  const form = new FormData(); form.append("id", id); form.append("file", file, file.name);
  const request = new XMLHttpRequest();
  request.upload.onprogress = event => { if (event.lengthComputable) bar.value = event.loaded / event.total; };
  const failed = words => { bar.remove(); line.classList.add("failed"); note.textContent = words; };
  request.onload = () => {
    if (request.status < 300) { bar.value = 1; expect(true); return; }
    failed({ 413: "文件太大，最多 20 MB。", 415: "这种文件不能接收。可以发图片、录音、视频、PDF 和 Office 文件。", 429: "发得太快了，请稍后再发。" }[request.status] || "文件没有发出去，请稍后再试。");
  };
  request.onerror = () => failed("网络不通，文件没有发出去。");
  opened().then(() => {
    request.open("POST", here("attachments"));
    request.setRequestHeader("Authorization", `Bearer ${session.token}`);
    request.send(form);
  }).catch(error => failed(error.message));
}

form.addEventListener("submit", event => { event.preventDefault(); const text = box.value.trim(); if (text) { box.value = ""; send(text); } });
box.addEventListener("keydown", event => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); } });
picker.addEventListener("change", () => { if (picker.files[0]) sendFile(picker.files[0]); picker.value = ""; });
box.addEventListener("paste", event => { const file = event.clipboardData && event.clipboardData.files[0]; if (file) { event.preventDefault(); sendFile(file); } });

// The same chat on another device

async function claim(path, body) {
  const answer = await fetch(here(path), { method: "POST", headers: { ...auth(), "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.detail || "没有成功，请稍后再试。");
  return told;
}

if (find("claim")) {
  const ask = find("claim-phone"), enter = find("claim-code");
  ask.addEventListener("submit", event => { event.preventDefault(); claim("claim", { phone: ask.elements.phone.value }).then(() => { enter.hidden = false; enter.elements.code.focus(); note.textContent = "验证码已发送，10 分钟内有效。"; }).catch(error => { note.textContent = error.message; }); });
  enter.addEventListener("submit", event => {
    event.preventDefault();
    claim("claim/confirm", { code: enter.elements.code.value }).then(told => { find("claim").open = false; note.textContent = told.earlier ? "已接上您之前的对话。" : "手机号已确认。换了设备也能用它接着聊。"; if (told.earlier) return change(told.earlier); }).catch(error => { note.textContent = error.message; });
  });
}

(session ? open() : opened()).catch(error => { note.textContent = error.message; });
