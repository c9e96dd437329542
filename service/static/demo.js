// Plays the resident: what is typed here goes through the platforms of the demo to the real addresses of the service.
"use strict";
const find = id => document.getElementById(id);
const STATES = { registered: "已登记", accepted: "已受理", in_progress: "办理中", in_approval: "待审批", approved: "待送达", replied: "已答复", closed: "已办结", followed_up: "已回访", declined: "不予受理", withdrawn: "已撤回", merged: "已并单", archived: "已归档" };
const shown = {};

for (const button of document.querySelectorAll("[data-door]")) button.addEventListener("click", () => {
  for (const other of document.querySelectorAll("[data-door]")) { other.classList.toggle("on", other === button); find(other.dataset.door).hidden = other !== button; }
});

async function act(deed, body) {
  const answer = await fetch(`/demo/${deed}`, { method: "POST", body });
  if (!answer.ok) alert(await answer.text());
  look();
}

for (const form of document.querySelectorAll("[data-deed]")) form.addEventListener("submit", event => {
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  if (form.dataset.deed === "wechat") form.reset();
  act(form.dataset.deed, body);
});
for (const button of document.querySelectorAll("[data-event]")) button.addEventListener("click", () => act("wechat-event", new URLSearchParams({ event: button.dataset.event })));
find("picture").addEventListener("change", event => { const body = new FormData(); body.append("file", event.target.files[0]); event.target.value = ""; act("wechat-picture", body); });

function part(className, ...texts) {
  const item = document.createElement("div"); item.className = className;
  const [head, ...rest] = texts;
  if (head) { const bold = document.createElement("b"); bold.textContent = head; item.append(bold); }
  item.append(document.createTextNode(rest.join("\n")));
  return item;
}

function fill(id, items, draw) {
  const key = JSON.stringify(items);
  if (shown[id] === key || !items.length) return;
  shown[id] = key;
  find(id).replaceChildren(...items.map(draw));
  find(id).scrollTop = find(id).scrollHeight;
}

async function look() {
  const answer = await fetch("/demo/state").catch(() => null);
  if (!answer || !answer.ok) return;
  const state = await answer.json();
  fill("talk", state.talk, line => {
    const item = part(`line ${line.from === "office" ? "assistant" : line.from}`, "", line.text);
    if (line.link) { const link = document.createElement("a"); link.href = new URL(line.link).pathname; link.target = "_blank"; link.textContent = "查看详情"; item.append(document.createElement("br"), link); }
    return item;
  });
  fill("letters", state.letters.slice().reverse(), mail => part("letter", mail.subject, mail.text));
  fill("calls", state.calls.slice().reverse(), call => part("letter", call.caller || "未知号码", call.text));
  fill("texts", state.sms.slice().reverse(), text => part("letter", text.to, text.text));
  find("ready").textContent = state.assistant ? "助手已就绪" : "助手正在加载…";
  find("ready").classList.toggle("warn", !state.assistant);
  find("tickets").textContent = "最新工单：" + state.tickets.slice(0, 4).map(item => `${item.number} ${item.title.slice(0, 14)}（${STATES[item.state] || item.state}）`).join("　");
}

look();
setInterval(look, 1500);
