"""What changed from one version of a guide to the next, field by field and line by line."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from knowledge_base.guide import FIELD_NAMES, HEADINGS

PROPERTIES: Mapping[str, str] = {
    "title": "标题", "overview": "事项说明", "note": "开头的说明", "aliases": "别名", "audience": "办理对象",
    "life_events": "人生事件", "owner": "维护人", "valid_from": "生效日期", "valid_to": "有效期至", "checked_on": "核对日期",
}


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields that differ between two stored versions: before, after, and the lines taken out and put in."""
    old = _said(before) if before else {}
    new = _said(after)
    return [
        {"field": name, "heading": PROPERTIES.get(name) or HEADINGS[name], "before": old.get(name, ""),
         "after": new.get(name, ""), "lines": _lines(old.get(name, ""), new.get(name, ""))}
        for name in (*PROPERTIES, *FIELD_NAMES) if old.get(name, "") != new.get(name, "")
    ]


def _said(content: Mapping[str, Any]) -> dict[str, str]:
    """Everything that a version says, as text by field."""
    said = {name: _text(content.get(name)) for name in PROPERTIES}
    said |= {name: str(text) for name, text in content["fields"].items()}
    said["faq"] = "\n".join(f"问：{question}\n答：{answer}" for question, answer in content["faq"])
    return said


def _text(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "、".join(map(str, value))
    return "" if value is None else str(value)


def _lines(before: str, after: str) -> list[str]:
    """`- ` taken out, `+ ` put in; what stayed is left out."""
    compared = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in compared if line.startswith(("- ", "+ "))]
