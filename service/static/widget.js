// One line in another page: <script src="https://…/widget.js" defer></script> puts the chat's button into its corner.
"use strict";
(() => {
  const here = "__HERE__" || new URL(document.currentScript.src).origin;
  if (window.huiyinWidget) return;
  window.huiyinWidget = true;
  const make = (tag, style) => { const item = document.createElement(tag); item.style.cssText = style; return item; };
  const button = make("button", "position:fixed;right:20px;bottom:20px;z-index:2147483000;border:0;border-radius:28px;padding:14px 20px;background:#0b6e6e;color:#fff;font:16px sans-serif;cursor:pointer;box-shadow:0 3px 12px rgba(0,0,0,.25)");
  const badge = make("span", "display:none;margin-left:8px;background:#b3261e;border-radius:10px;padding:1px 8px;font-size:13px");
  const frame = make("iframe", "display:none;position:fixed;right:20px;bottom:84px;z-index:2147483000;width:min(400px,calc(100vw - 40px));height:min(620px,calc(100vh - 120px));border:1px solid #d9e0e6;border-radius:12px;background:#fff;box-shadow:0 6px 24px rgba(0,0,0,.25)");
  button.type = "button"; button.textContent = "在线咨询"; button.append(badge); button.setAttribute("aria-expanded", "false");
  frame.title = "在线咨询"; frame.src = here + "/chat/frame"; frame.allow = "clipboard-read";
  const show = open => {
    frame.style.display = open ? "block" : "none"; button.setAttribute("aria-expanded", String(open));
    frame.contentWindow.postMessage({ huiyin: "shown", open }, here);
  };
  button.addEventListener("click", () => show(frame.style.display === "none"));
  window.addEventListener("keydown", event => { if (event.key === "Escape" && frame.style.display !== "none") { show(false); button.focus(); } });
  window.addEventListener("message", event => {
    if (event.origin !== here || event.source !== frame.contentWindow || !event.data || event.data.huiyin !== "unread") return;
    badge.textContent = event.data.count; badge.style.display = event.data.count ? "inline" : "none";
  });
  const place = () => document.body.append(frame, button);
  if (document.body) place(); else document.addEventListener("DOMContentLoaded", place);
})();
