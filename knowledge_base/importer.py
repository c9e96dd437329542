"""Markdown to guides: front matter and headings to fields, with a report of what was understood and left out."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import nh3
import yaml

from core.errors import Invalid
from knowledge_base.guide import FIELD_NAMES, HEADINGS, PRESETS, Faq, Guide, field_of

LONGEST = 400_000
"""Characters of a Markdown guide at most; the longest guide of a hall has some 12,000."""

_HEADING = re.compile(r"^(#{1,4})\s+(.+?)\s*#*\s*$")
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_TAG = re.compile(r"</?[a-zA-Z][^>]*>")
_BREAK = re.compile(r"<br\s*/?>", re.I)


@dataclass(frozen=True)
class Imported:
    """A guide as it was understood, and what was not."""

    guide: Guide
    digest: str
    left_out: tuple[str, ...] = ()
    source: str = ""


@dataclass
class _Parts:
    title: str = ""
    overview: list[str] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)
    faq: list[tuple[str, list[str]]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def import_markdown(text: str, source: str = "", preset: str | None = None) -> Imported:
    """One guide out of one Markdown text; `Invalid` where it is none. HTML is cleaned away, its words kept."""
    if len(text) > LONGEST:
        raise Invalid(f"{source or '文件'}：超过{LONGEST}字，请拆成几篇指南再导入")
    front, body = _split_front(text.lstrip("\ufeff").replace("\r\n", "\n"), source)
    parts = _read_body(clean(body))
    title = str(front.get("title") or parts.title).strip()
    if not title:
        raise Invalid(f"{source or '文件'}：没有标题，请在开头写“# 事项名称”", "title")
    note, overview = _split_note("\n".join(parts.overview).strip())
    guide = Guide(
        slug=str(front.get("slug") or Path(source).stem or title),
        preset=_preset(front, preset, source),
        title=title,
        overview=overview,
        note=note,
        fields={name: body for name, lines in parts.fields.items() if (body := "\n".join(lines).strip())},
        faq=tuple(Faq(question, answer) for question, lines in parts.faq
                  if (answer := "\n".join(lines).strip())),
        aliases=_texts(front, "aliases"),
        audience=_texts(front, "audience"),
        life_events=_texts(front, "life_events"),
        owner=str(front.get("owner") or ""),
        valid_from=_date(front, "valid_from", source),
        valid_to=_date(front, "valid_to", source),
        checked_on=_date(front, "checked_on", source),
        version=int(front.get("version") or 1),
    )
    return Imported(guide, guide.digest, tuple(parts.left_out), source)


def import_file(path: Path, preset: str | None = None) -> Imported:
    """One Markdown file."""
    try:
        return import_markdown(path.read_text("utf-8"), path.name, preset)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path.name}：不是 UTF-8 文本，请另存为 UTF-8 再导入") from error


def clean(body: str) -> str:
    """The text without HTML: tags go, what stands between them stays; scripts and styles go with their content."""
    body = _BREAK.sub("\n", _COMMENT.sub("", body))
    if not _TAG.search(body):
        return body
    kept = nh3.clean(_hide_marks(body), tags=set(), clean_content_tags={"script", "style"})
    return _show_marks(kept)


def export_markdown(guide: Guide) -> str:
    """The guide as a Markdown file that imports back to the same guide."""
    front = {key: value for key, value in guide.as_json().items()
             if key not in ("overview", "fields", "faq", "note")}
    for key in ("valid_from", "valid_to", "checked_on"):
        front[key] = getattr(guide, key)
    lines = ["---", yaml.safe_dump(front, allow_unicode=True, sort_keys=False).strip(), "---", f"# {guide.title}", ""]
    if guide.note:
        lines += [f"> {line}" for line in guide.note.splitlines()] + [""]
    lines += [guide.overview, ""]
    for name in FIELD_NAMES:
        if guide.fields.get(name):
            lines += [f"## {HEADINGS[name]}", "", guide.fields[name], ""]
    if guide.faq:
        lines += [f"## {HEADINGS['faq']}", ""]
    for each in guide.faq:
        lines += [f"### {each.question}", "", each.answer, ""]
    return "\n".join(lines)


def _hide_marks(body: str) -> str:
    """Markdown's own angle brackets and ampersands are no HTML and must survive the cleaning."""
    return body.replace("&", "\ue000").replace("\n>", "\n\ue001").replace("->", "-\ue001")


def _show_marks(body: str) -> str:
    for entity, mark in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&nbsp;", " "), ("&amp;", "&")):
        body = body.replace(entity, mark)
    return body.replace("\ue000", "&").replace("\ue001", ">")


def _split_front(text: str, source: str) -> tuple[dict[str, Any], str]:
    if not text.startswith("---\n"):
        return {}, text
    end = text.find("\n---", 4)
    if end < 0:
        raise Invalid(f"{source or '文件'}：开头的“---”没有结束，请在属性后面再写一行“---”")
    try:
        front = yaml.safe_load(text[4:end]) or {}
    except (yaml.YAMLError, ValueError) as error:
        raise Invalid(f"{source or '文件'}：开头的属性读不懂（{str(error).splitlines()[0]}），请检查冒号和缩进") from error
    if not isinstance(front, dict):
        raise Invalid(f"{source or '文件'}：开头的属性应当一行一个“名称: 内容”")
    return front, text[end + 4 :].partition("\n")[2]


def _read_body(body: str) -> _Parts:
    parts = _Parts()
    sink: list[str] | None = parts.overview
    in_faq = False
    for line in body.split("\n"):
        heading = _HEADING.match(line)
        level = len(heading[1]) if heading else 0
        if heading and level == 1 and not parts.title:
            parts.title = heading[2]
        elif heading and level <= 2:
            sink, in_faq = _open_section(parts, heading[2])
        elif heading and in_faq:
            sink = []
            parts.faq.append((heading[2], sink))
        elif sink is not None:
            sink.append(line)
        elif line.strip():
            parts.left_out.append(line.strip()[:80])
    return parts


def _open_section(parts: _Parts, heading: str) -> tuple[list[str] | None, bool]:
    name = field_of(heading)
    if name is None:
        parts.left_out.append(f"## {heading}")
        return None, False
    if name == "faq":
        return None, True
    if name in parts.fields:
        parts.left_out.append(f"## {heading}（重复的栏目，已并入前一个）")
    return parts.fields.setdefault(name, []), False


def _split_note(overview: str) -> tuple[str, str]:
    """The leading block quote says what the guide is; what follows is the overview."""
    note: list[str] = []
    rest = overview.split("\n")
    while rest and (rest[0].startswith(">") or (not rest[0].strip() and not note)):
        note.append(rest.pop(0).lstrip("> ").strip())
    return "\n".join(filter(None, note)), "\n".join(rest).strip()


def _preset(front: dict[str, Any], preset: str | None, source: str) -> str:
    wanted = str(front.get("preset") or preset or "")
    if wanted not in PRESETS:
        raise Invalid(f"{source or '文件'}：preset 应当是 {'、'.join(PRESETS)} 之一", "preset")
    return wanted


def _texts(front: dict[str, Any], key: str) -> tuple[str, ...]:
    value = front.get(key) or []
    many = value if isinstance(value, list) else re.split(r"[,，、;；]", str(value))
    return tuple(str(each).strip() for each in many if str(each).strip())


def _date(front: dict[str, Any], key: str, source: str) -> date | None:
    value = front.get(key)
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise Invalid(f"{source or '文件'}：{key} 应当写成 2026-11-20 这样的日期", key) from error
