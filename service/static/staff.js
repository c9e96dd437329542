// Looks for news every few seconds and swaps the page's main part, unless somebody is writing in it.
"use strict";
const seconds = Number(document.currentScript.dataset.refresh);
const down = () => { const log = document.getElementById("log"); if (log) log.scrollTop = log.scrollHeight; };
down();
if (seconds) setInterval(async () => {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer || !answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["log"]) { const now = document.getElementById(id), next = page.getElementById(id); if (now && next && now.innerHTML !== next.innerHTML) { now.innerHTML = next.innerHTML; down(); } }
  const nav = document.querySelector("header nav"), nextNav = page.querySelector("header nav"); if (nav && nextNav) nav.innerHTML = nextNav.innerHTML;
  if (!document.querySelector("main textarea, main input:not([type=hidden])")) { const main = document.querySelector("main"), next = page.querySelector("main"); if (next) main.innerHTML = next.innerHTML; }
}, seconds * 1000);
// Somebody who writes to a resident is seen to be writing, at most every three seconds.
let shown = 0;
document.addEventListener("input", event => {
  const form = event.target.closest('form[action$="/messages"]');
  if (!form || Date.now() - shown < 3000) return;
  shown = Date.now();
  fetch(form.action.replace(/messages$/, "typing"), { method: "POST", body: new URLSearchParams({ form_token: form.elements.form_token.value }) }).catch(() => null);
});
// A canned text goes into its field, after what stands there already.
document.addEventListener("click", event => {
  const button = event.target.closest("[data-fills]");
  if (!button) return;
  const field = document.getElementById(button.dataset.fills);
  field.value = field.value.trim() ? `${field.value.trimEnd()}\n${button.dataset.text}` : button.dataset.text;
  field.focus();
});
