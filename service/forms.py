"""A verb's body as a form: its fields from the model the API checks, and what a browser sent back as that body."""

import re
from dataclasses import dataclass, replace
from typing import Any, get_args, get_origin

from core.config import bare_type
from core.message import storable
from ticketing.lifecycle import VERBS
from ticketing.preset import Preset

LABELS = {
    "reply": "答复居民的话", "action_taken": "处理措施", "findings": "调查结论", "reason": "理由", "text": "内容",
    "department": "承办部门", "assignee": "承办人", "due_at": "新的期限（如 2026-12-10T17:30:00+08:00）",
    "code": "不予受理的情形", "where_to": "应当去哪里办理", "category": "类别", "kind": "性质", "title": "标题",
    "description": "内容", "place": "地点", "happened_at": "发生时间", "urgency": "紧急程度", "note": "说明",
    "missing": "缺什么（每行一项）", "into": "并入的工单号", "to": "关联的工单号", "call_turn": "通话中第几句",
    "reached": "联系上了吗", "solved": "解决了吗", "satisfied": "满意度（5 非常满意 … 1 非常不满意）",
    "comment": "居民的话", "joint": "协办部门（每行一个）", "measure": "哪一项承诺", "confidential": "为居民保密",
    "turn": "第几句", "clock": "哪个时限",
}
LONG = {"reply", "action_taken", "reason", "text", "description", "note", "where_to", "missing", "comment", "joint"}
NOT_IN_FORMS = {"attachments", "measures", "elements", "about"}
CHOICE_WORDS = {
    "upheld": "属实", "partly_upheld": "部分属实", "not_upheld": "不属实", "out_of_area": "不属本单位管辖",
    "litigation": "已进入诉讼、仲裁", "reconsideration": "已进入行政复议", "petition": "已进入信访程序",
    "discipline": "应由纪检监察受理", "duplicate": "重复反映", "no_matter": "没有具体事项", "other": "其他",
    "complaint": "投诉", "request": "求助/报修", "suggestion": "建议", "consultation": "咨询", "report": "举报",
    "praise": "表扬", "routine": "一般", "pressing": "较急", "urgent": "紧急", "emergency": "特急",
    "true": "是", "false": "否", "finish": "办结", "accept": "受理",
}


@dataclass(frozen=True, slots=True)
class FormField:
    name: str
    label: str
    required: bool
    long: bool
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class VerbForm:
    name: str
    chinese: str
    fields: tuple[FormField, ...]


def describe_verbs(allowed: list[str], preset: Preset) -> list[VerbForm]:
    """The buttons of a ticket: what moves it on comes first, in the order of the lifecycle table."""
    order = sorted((verb for verb in VERBS if verb in allowed), key=lambda verb: VERBS[verb].to is None)
    return [describe_verb(verb, preset) for verb in order]


def describe_verb(verb: str, preset: Preset) -> VerbForm:
    """One verb's form."""
    return VerbForm(verb, VERBS[verb].chinese, tuple(_fields(verb, preset)))


def offer_choices(form: VerbForm, field: str, choices: tuple[tuple[str, str], ...]) -> VerbForm:
    """The form with these choices for its field of this name, where it has one."""
    fields = (replace(item, choices=choices) if item.name == field else item for item in form.fields)
    return replace(form, fields=tuple(fields))


def _fields(verb: str, preset: Preset) -> list[FormField]:
    found = []
    for name, field in VERBS[verb].body.model_fields.items():
        if name not in NOT_IN_FORMS:
            choices = _choices(name, bare_type(field.annotation), preset)
            found.append(FormField(name, LABELS.get(name, name), field.is_required(), name in LONG, choices))
    return found


def _choices(name: str, kind: Any, preset: Preset) -> tuple[tuple[str, str], ...]:
    if name == "department":
        return tuple((item.code, item.name) for item in preset.departments)
    if name == "category":
        return tuple((item.code, item.name) for item in preset.categories)
    if kind is bool:
        return (("true", "是"), ("false", "否"))
    values = [value for value in get_args(kind) if isinstance(value, str)] if get_origin(kind) else []
    return tuple((value, CHOICE_WORDS.get(value, value)) for value in values)


def read_form(verb: str, form: dict[str, str]) -> dict[str, Any]:
    """What the browser sent as the verb's body; empty fields are left out, lists are one item a line."""
    if verb not in VERBS:
        return {}
    body: dict[str, Any] = {}
    for name, field in VERBS[verb].body.model_fields.items():
        text = storable(form.get(name, "").strip())
        if text:
            body[name] = _value(text, bare_type(field.annotation))
    return body


def read_elements(form: dict[str, str]) -> list[dict[str, str]]:
    """What the clerk wrote over what was heard; what he left as it was stays as sure as it was."""
    found = []
    for name in ("person", "phone", "place", "time", "matter"):
        value = storable(form.get(f"element-{name}", "").strip())
        if value and value != form.get(f"was-{name}", "").strip():
            found.append({"name": name, "value": value})
    return found


_MEASURE = re.compile(r"measure-(\d{1,3})-what", re.ASCII)


def read_measures(form: dict[str, str]) -> list[dict[str, str]]:
    """The ticked rows of `measure-N-take, -what, -due_on`; a row in which nothing is written is none."""
    numbers = [found[1] for name in form if (found := _MEASURE.fullmatch(name))]
    rows = [{name: storable(form.get(f"measure-{number}-{name}", "").strip()) for name in ("what", "due_on")}
            for number in numbers if form.get(f"measure-{number}-take")]
    return [row for row in rows if row["what"]]


def _value(text: str, kind: Any) -> Any:
    if kind is bool:
        return text == "true"
    if kind is int and text.isdecimal():
        return int(text)
    if get_origin(kind) is list:
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text
