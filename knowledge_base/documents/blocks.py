"""Lines and tables of a document to the Markdown of a guide: headings by style, or by the words offices use for them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from knowledge_base.guide import HEADINGS, field_of

PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "slug": ("slug", "编号", "事项编码", "事项编号", "代码"),
    "preset": ("preset", "窗口类型"),
    "title": ("title", "标题", "事项名称", "名称", "事项", "服务事项", "指南名称"),
    "aliases": ("aliases", "别名", "俗称", "居民叫法", "关键词"),
    "audience": ("audience", "办理对象", "人群", "面向对象"),
    "life_events": ("life_events", "人生事件", "主题", "场景"),
    "owner": ("owner", "维护人", "维护窗口", "负责窗口", "负责科室"),
    "valid_from": ("valid_from", "生效日期", "实施日期", "有效期起"),
    "valid_to": ("valid_to", "有效期至", "失效日期", "有效期止"),
    "checked_on": ("checked_on", "核对日期", "更新日期", "核对时间"),
    "version": ("version", "版本"),
    "overview": ("overview", "事项说明", "说明", "简介", "概述"),
}
"""What is no field of a guide and yet said in documents, under the names that offices give it."""

_QUESTION = re.compile(r"^(?:[问Qq]\s*\d*\s*[：:、.．]|\d+[、.．]\s*(?=.*[？?]$))\s*(.+)$")
_ITEM = re.compile(r"^(\d{1,2})[.．]\s*(?=\D)")
_REPLY = re.compile(r"^[答Aa]\s*\d*\s*[：:、.．]\s*")
_ANYWHERE = ("owner", "valid_from", "valid_to", "checked_on")
"""Properties that offices also write at the end; the others only count before the first field."""
_BETWEEN_HAN = re.compile(r"(?<=[\u3000-\u303f\u3400-\u9fff\uff00-\uffef])\s+(?=[\u3000-\u303f\u3400-\u9fff\uff00-\uffef])")
_NUMBERED = re.compile(r"^\s*[（(]?[一二三四五六七八九十]+[)）、.．]\s*")


@dataclass(frozen=True)
class Line:
    """A paragraph; `level` is that of its heading style, 0 where it has none."""

    text: str
    level: int = 0


@dataclass(frozen=True)
class Table:
    """Rows of cells."""

    rows: Sequence[Sequence[str]]


Block = Line | Table


def property_of(name: str) -> str | None:
    """The property a name stands for; None where it is none."""
    plain = _NUMBERED.sub("", "".join(name.split())).rstrip("：:").lower()
    return next((key for key, names in PROPERTIES.items() if plain in names), None)


def to_markdown(blocks: Iterable[Block]) -> str:
    """The document as the Markdown that `import_markdown` reads."""
    writer = _Writer()
    for block in blocks:
        if isinstance(block, Table):
            writer.add_table(block.rows)
        else:
            writer.add_line(block)
    return writer.text()


def with_front(front: Mapping[str, Any], body: str) -> str:
    """Properties and body as one Markdown file."""
    head = yaml.safe_dump({key: value for key, value in front.items() if value not in (None, "")},
                          allow_unicode=True, sort_keys=False)
    return f"---\n{head}---\n{body}"


def table_markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head."""
    width = max(len(row) for row in rows)
    lines = ["| " + " | ".join([*map(_cell, row), *[""] * (width - len(row))]) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]])


class _Writer:
    """Takes blocks in the order of the document and knows in which field it is."""

    def __init__(self) -> None:
        self.front: dict[str, Any] = {}
        self.lines: list[str] = []
        self.field: str | None = None

    def add_line(self, line: Line) -> None:
        for text in filter(None, (each.strip() for each in line.text.split("\n"))):
            self._add(text, line.level)

    def add_table(self, rows: Sequence[Sequence[str]]) -> None:
        """A table of 栏目 and 内容 is the guide itself; any other belongs to the field it stands in."""
        rows = [row for row in map(_without_repeats, rows) if any(cell.strip() for cell in row)]
        if not rows:
            return
        named = [row for row in rows if len(row) == 2 and (field_of(row[0]) or property_of(row[0]))]
        if len(named) >= 2 and 2 * len(named) >= len(rows):
            for row in rows:
                self._add_pair(row)
            return
        self.lines += ["", table_markdown(rows), ""]

    def text(self) -> str:
        title = self.front.get("title", "")
        head = [f"# {title}", ""] if title and not any(line.startswith("# ") for line in self.lines) else []
        overview = self.front.pop("overview", "")
        return with_front(self.front, "\n".join([*head, *([overview, ""] if overview else []), *self.lines]))

    def _add(self, text: str, level: int) -> None:
        name, mark, rest = text.partition("：") if "：" in text else text.partition(":")
        short = len(text) <= 16
        if level == 0 and mark and rest.strip() and len(name) <= 12 and self._may_be_property(name):
            self._add_property(name, rest)
            return
        if self.field == "faq" and (level >= 3 or (level and text.endswith(("？", "?")))):
            self.lines += ["", f"### {text}"]
        elif level == 1 and not self.front.get("title"):
            self._set_title(text)
        elif level >= 1 or (short and field_of(text)):
            self._open(text)
        elif mark and len(name) <= 12 and (found := field_of(name)):
            self._open(HEADINGS[found])
            self._write(rest.strip())
        elif not self.front.get("title") and not self.lines:
            self._set_title(text)
        else:
            self._write(text)

    def _add_pair(self, row: Sequence[str]) -> None:
        name, value = row[0].strip(), "\n".join(cell for cell in row[1:] if cell.strip())
        if self._add_property(name, value):
            return
        self._open(name)
        for line in value.split("\n"):
            self._write(line.strip())

    def _may_be_property(self, name: str) -> bool:
        key = property_of(name)
        return key is not None and key not in self.front and (self.field is None or key in _ANYWHERE)

    def _add_property(self, name: str, value: str) -> bool:
        """Take a property in; one that is there already (the title above the table) stays as it is."""
        key = property_of(name)
        if key is not None:
            self.front.setdefault(key, value.strip())
        return key is not None

    def _set_title(self, text: str) -> None:
        self.front["title"] = text
        self.lines += [f"# {text}", ""]

    def _open(self, heading: str) -> None:
        self.field = field_of(heading)
        self.lines += ["", f"## {heading}", ""]

    def _write(self, text: str) -> None:
        asked = _QUESTION.match(text)
        if self.field == "faq" and (asked or (text.endswith(("？", "?")) and len(text) <= 60)):
            self.lines += ["", f"### {asked[1] if asked else text}"]
        elif text:
            # A line of the document is no heading of Markdown, whatever it begins with.
            plain = (_REPLY.sub("", text) if self.field == "faq" else text).lstrip("#")
            self.lines.append(_ITEM.sub(r"\1. ", plain))


def _without_repeats(row: Sequence[str]) -> list[str]:
    """Merged cells are told once for each column they cover."""
    return [cell for at, cell in enumerate(row) if at == 0 or cell != row[at - 1] or not cell.strip()]


def _cell(text: str) -> str:
    """One line; a break inside a Chinese word is no space."""
    return " ".join(_BETWEEN_HAN.sub("", text.replace("|", "｜")).split())
