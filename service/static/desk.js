// The desk by keyboard alone: Ctrl+Enter registers, a photographed letter becomes a draft, the receipt prints.
"use strict";
const form = document.getElementById("desk"), print = document.getElementById("print"), read = document.getElementById("read");
if (form) document.addEventListener("keydown", event => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); } });
if (print) print.addEventListener("click", () => window.print());
if (read) read.addEventListener("click", async () => {
  const note = document.getElementById("reading"), file = form.elements.file.files[0];
  if (!file) { note.textContent = "请先选一张照片。"; return; }
  note.textContent = "正在识别，约需十秒…"; read.disabled = true;
  const body = new FormData(); body.append("form_token", form.elements.form_token.value); body.append("file", file);
  try {
    const told = await (await fetch("/staff/desk/read", { method: "POST", body })).json();
    if (told.text) form.elements.description.value = [form.elements.description.value, told.text].filter(Boolean).join("\n");
    note.textContent = told.detail || "已填入，请对照照片更正。"; form.elements.description.focus();
  } catch (error) { note.textContent = "没有识别成功，请对照照片录入。"; }
  read.disabled = false;
});
