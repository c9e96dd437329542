"""The text of an answer: the guide's own words, letter by letter, joined by the sentences of texts.yml."""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from knowledge_base.guide import HEADINGS, PUBLIC_NAMES, Citation, Guide, Section

SHORT = 160
"""Characters of a fee or limit that is added to another field's answer in full."""

PARTS: dict[str, tuple[str, ...]] = {
    "limit": ("limit_promised", "limit_statutory"),
    "fee": ("fee", "fee_basis"),
    "overview": ("overview",),
}
"""The guide's fields behind a field of an answer, where it is more than one."""

ALSO: dict[str, tuple[str, ...]] = {
    "overview": ("materials", "fee", "limit_promised", "address", "hours", "phone"),
    "materials": ("fee", "limit_promised"),
    "steps": ("fee", "limit_promised"),
    "conditions": ("fee", "limit_promised"),
    "address": ("window", "hours"),
    "window": ("address", "hours"),
    "hours": ("address", "phone"),
    "phone": ("hours",),
}
"""What is told along with a field, because whoever asks for it needs it next."""

OFFERED = ("materials", "steps", "fee", "limit", "address", "hours")

_LINK = re.compile(r"\[([^\]]+)\]\((guide:)?[^)\s]+\)")
_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")


def say(key: str, **values: Any) -> str:
    """A sentence of texts.yml."""
    return str(texts()[key]).format(**values)


@lru_cache(maxsize=1)
def texts() -> dict[str, Any]:
    """texts.yml, read once."""
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "texts.yml").read_text("utf-8"))
    return loaded


def sections_of(guide: Guide, field: str) -> list[Section]:
    """The sections that answer a question for this field; empty where the guide is silent."""
    found = [guide.section(name) for name in PARTS.get(field, (field,))]
    return [section for section in found if section is not None]


def sections_along(guide: Guide, field: str) -> list[Section]:
    """The sections told along with a field. A long fee is left to its own question: half a fee misleads."""
    found = [guide.section(name) for name in ALSO.get(field, ())]
    return [section for section in found
            if section is not None and (section.field == "materials" or len(section.text) <= SHORT)]


def show(guide: Guide, section: Section) -> str:
    """A section under its heading; tables of materials become a numbered checklist."""
    if section.field == "faq":
        return f"{section.question}\n{plain(section.text)}"
    heading = say("heading", title=guide.title, heading=HEADINGS[section.field])
    return f"{heading}\n{plain(section.text)}"


def show_along(section: Section) -> str:
    """A section in the second place: its heading and text."""
    text = plain(section.text)
    mark = "\n" if "\n" in text else ""
    return say("also", heading=HEADINGS[section.field], text=mark + text)


def plain(markdown: str) -> str:
    """The same words without marks that a chat cannot show: tables as checklists, links as titles."""
    lines: list[str] = []
    table: list[str] = []
    for line in [*markdown.split("\n"), ""]:
        if line.lstrip().startswith("|"):
            table.append(line)
            continue
        if table:
            lines += _checklist(table)
            table = []
        lines.append(line)
    text = _LINK.sub(lambda link: f"《{link[1]}》" if link[2] else link[1], "\n".join(lines))
    return re.sub(r"\n{2,}", "\n", text.replace("**", "")).strip()


def rows(markdown: str) -> list[list[str]]:
    """The cells of all table rows below their head."""
    lines = [line for line in markdown.split("\n") if line.lstrip().startswith("|")]
    body = [cells(line) for at, line in enumerate(lines) if not _RULE.match(line)
            and not (at + 1 < len(lines) and _RULE.match(lines[at + 1]))]
    return [row for row in body if any(row)]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def cite(guide: Guide, sections: Iterable[Section]) -> list[Citation]:
    """One citation a section, its whole text as the quote."""
    return [Citation(guide.slug, section.name, guide.title, guide.version, guide.checked_on, section.text)
            for section in sections]


def source(guide: Guide) -> str:
    """The line that says where an answer comes from."""
    return say("source", title=guide.title, version=guide.version, checked_on=guide.checked_on or "日期未记")


def offer(guide: Guide, told: Iterable[str]) -> str:
    """What else may be asked about this guide; empty when all was told."""
    known = {PUBLIC_NAMES.get(name, name) for name in told}
    names = [texts()["fields"][field] for field in OFFERED if field not in known and sections_of(guide, field)]
    return say("more", fields="、".join(names)) if names else ""


def choices(titles: Iterable[str]) -> str:
    return " ".join(f"{number}. {title}" for number, title in enumerate(titles, 1))


def _checklist(table: list[str]) -> list[str]:
    head = cells(table[0])
    found = []
    for number, row in enumerate(rows("\n".join(table)), 1):
        details = "；".join(f"{name}：{cell}" if name in ("来源", "说明") else cell
                           for name, cell in zip(head[1:], row[1:], strict=False) if cell and cell != "—")
        key = "material" if details else "material_plain"
        found.append(say(key, number=number, name=row[0], details=details))
    return found
