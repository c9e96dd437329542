// The web chat of the home page: one session kept in this browser, messages sent once, news by server-sent events.
"use strict";
const BASE = "/channels/webchat/sessions";
const WHO = { resident: "我", assistant: "智能助手", staff: "工作人员" };
const log = document.getElementById("log"), form = document.getElementById("say"), box = form.elements.text, note = document.getElementById("note");
let session = JSON.parse(localStorage.getItem("huiyin-session") || "null"), stream = null;
const seen = new Set();

async function open() {
  if (!session) {
    const answer = await fetch(BASE, { method: "POST" });
    if (!answer.ok) throw new Error("暂时连不上，请稍后再试。");
    session = await answer.json();
    localStorage.setItem("huiyin-session", JSON.stringify(session));
  }
  listen();
}

function listen() {
  if (stream) stream.close();
  stream = new EventSource(`${BASE}/${session.session}/events?token=${encodeURIComponent(session.token)}`);
  stream.addEventListener("message", event => show(JSON.parse(event.data)));
  stream.onopen = () => { note.textContent = ""; };
  stream.onerror = async () => {
    note.textContent = "连接断开，正在重新连接…";
    const answer = await fetch(`${BASE}/${session.session}/messages?after=0`, { headers: auth() }).catch(() => null);
    if (answer && (answer.status === 401 || answer.status === 404)) { localStorage.removeItem("huiyin-session"); session = null; seen.clear(); log.replaceChildren(); open(); }
  };
}

const auth = () => ({ Authorization: `Bearer ${session.token}` });

function show(item) {
  if (seen.has(item.seq)) return;
  seen.add(item.seq);
  const pending = item.id && document.querySelector(`[data-id="${CSS.escape(item.id)}"]`);
  if (pending) pending.remove();
  log.querySelectorAll(".choices").forEach(old => old.remove());
  const line = add(item.from, item.text);
  if ((item.choices || []).length) {
    const row = document.createElement("div"); row.className = "choices";
    for (const choice of item.choices) { const b = document.createElement("button"); b.type = "button"; b.textContent = choice; b.onclick = () => send(choice); row.append(b); }
    line.append(row);
  }
  log.scrollTop = log.scrollHeight;
}

function add(from, text) {
  const line = document.createElement("div"); line.className = `line ${from}`;
  const who = document.createElement("span"); who.className = "who"; who.textContent = WHO[from] || from;
  line.append(who, document.createTextNode(text)); log.append(line);
  return line;
}

async function send(text) {
  const id = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now();
  const line = add("resident", text); line.dataset.id = id; log.scrollTop = log.scrollHeight;
  for (let tries = 0; tries < 5; tries++) {
    try {
      const answer = await fetch(`${BASE}/${session.session}/messages`, { method: "POST", headers: { ...auth(), "Content-Type": "application/json" }, body: JSON.stringify({ id, text }) });
      if (answer.ok) return;
      if (answer.status === 429) { note.textContent = "发得太快了，稍等一下会自动再发。"; }
      else if (answer.status < 500) { note.textContent = "这条消息没有发出去，请刷新页面再试。"; return; }
    } catch (error) { note.textContent = "网络不通，正在重试…"; }
    await new Promise(done => setTimeout(done, 2000 * (tries + 1)));
  }
  note.textContent = "这条消息没有发出去，请稍后再试。";
}

form.addEventListener("submit", event => { event.preventDefault(); const text = box.value.trim(); if (text && session) { box.value = ""; send(text); } });
box.addEventListener("keydown", event => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); } });
open().catch(error => { note.textContent = error.message; });
