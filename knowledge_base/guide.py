"""Guide, Section, Citation: the fields of a service guide (GB/T 36114) and the words that name them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

PRESETS = ("property", "hall", "hospital")


class Field(NamedTuple):
    """A field of a guide: its heading in ours, other headings offices write, and whether it may be missing."""

    name: str
    heading: str
    also: tuple[str, ...] = ()


FIELDS: tuple[Field, ...] = (
    Field("conditions", "办理条件", ("受理条件", "申请条件", "申办条件", "服务对象", "适用范围")),
    Field("materials", "申请材料", ("所需材料", "办理材料", "申报材料", "材料清单", "需要材料", "提交材料")),
    Field("steps", "办理流程", ("办理程序", "办事流程", "流程", "办理步骤", "申请流程")),
    Field("window", "办理窗口", ("受理窗口", "窗口")),
    Field("address", "办理地点", ("办理地址", "地址", "受理地点", "办公地址")),
    Field("hours", "办理时间", ("办公时间", "受理时间", "工作时间", "服务时间")),
    Field("phone", "咨询电话", ("联系电话", "咨询方式", "电话", "咨询渠道")),
    Field("fee", "收费标准", ("收费情况", "费用", "是否收费", "收费")),
    Field("fee_basis", "收费依据", ()),
    Field("limit_promised", "承诺时限", ("承诺办结时限", "承诺期限", "办理时限", "承诺办理时限")),
    Field("limit_statutory", "法定时限", ("法定办结时限", "法定期限", "法定办理时限")),
    Field("visits", "跑动次数", ("到办事现场次数", "到现场次数", "跑几趟")),
    Field("result", "办理结果", ("结果名称", "审批结果", "办理结果名称", "结果领取")),
    Field("forms", "表格下载", ("表格", "申请表格", "样表下载", "表单下载")),
    Field("authority", "责任单位", ("实施主体", "办理机构", "实施机关", "主管部门")),
    Field("supervision_phone", "监督电话", ("投诉电话", "监督投诉电话", "监督投诉渠道", "监督渠道")),
    Field("legal_basis", "办理依据", ("设定依据", "法律依据", "政策依据", "实施依据")),
    Field("faq", "常见问题", ("常见问答", "问答", "常见问题解答")),
)
FIELD_NAMES = tuple(each.name for each in FIELDS)
HEADINGS: Mapping[str, str] = {each.name: each.heading for each in FIELDS} | {"overview": "事项说明"}

PUBLIC_NAMES: Mapping[str, str] = {"limit_promised": "limit", "limit_statutory": "limit", "fee_basis": "fee",
                                   "authority": "overview", "supervision_phone": "phone"}
"""What a field is called in answers, where it is not called by its own name (interfaces §4)."""


def field_of(heading: str) -> str | None:
    """The field a heading stands for, with its synonyms; None for a heading that is none of them."""
    plain = "".join(heading.split()).strip("：:、.一二三四五六七八九十（）()0123456789")
    for each in FIELDS:
        if plain == each.heading or plain in each.also:
            return each.name
    return None


@dataclass(frozen=True)
class Faq:
    """A question in residents' words and the office's answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Section:
    """A part of a guide that can be quoted: `field` is a field, `overview` or `faq`; `text` is verbatim."""

    field: str
    text: str
    question: str = ""
    """The question of an FAQ entry; empty elsewhere."""

    @property
    def name(self) -> str:
        """What answers and citations call it."""
        return PUBLIC_NAMES.get(self.field, self.field)


@dataclass(frozen=True)
class Guide:
    """A service guide as it stands in one version. `fields` holds each field's own text, verbatim Markdown."""

    slug: str
    preset: str
    title: str
    overview: str
    fields: Mapping[str, str]
    faq: tuple[Faq, ...] = ()
    aliases: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    life_events: tuple[str, ...] = ()
    owner: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    checked_on: date | None = None
    version: int = 1
    state: str = "published"
    note: str = ""
    """The sentence that says what the guide is (for the samples: that its office is invented)."""

    def is_expired(self, today: date) -> bool:
        return self.state == "expired" or (self.valid_to is not None and self.valid_to < today)

    def is_in_force(self, today: date) -> bool:
        begun = self.valid_from is None or self.valid_from <= today
        return self.state == "published" and begun and not self.is_expired(today)

    def sections(self) -> list[Section]:
        """All that can be quoted, in the order of the page."""
        found = [Section("overview", self.overview)] if self.overview else []
        found += [Section(name, self.fields[name]) for name in FIELD_NAMES if self.fields.get(name)]
        return found + [Section("faq", each.answer, each.question) for each in self.faq]

    def section(self, name: str) -> Section | None:
        """The section of a field; None where the guide is silent."""
        text = self.overview if name == "overview" else self.fields.get(name, "")
        return Section(name, text) if text else None

    def as_json(self) -> dict[str, Any]:
        """Everything, as it is stored in one version."""
        return {
            "slug": self.slug, "preset": self.preset, "title": self.title, "overview": self.overview,
            "fields": dict(self.fields), "faq": [[each.question, each.answer] for each in self.faq],
            "aliases": list(self.aliases), "audience": list(self.audience),
            "life_events": list(self.life_events), "owner": self.owner, "note": self.note,
            "valid_from": _iso(self.valid_from), "valid_to": _iso(self.valid_to),
            "checked_on": _iso(self.checked_on), "version": self.version,
        }

    @property
    def digest(self) -> str:
        """What the guide says, whatever its version and however it was written down."""
        said = {key: value for key, value in self.as_json().items() if key != "version"}
        return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], *, version: int | None = None, state: str = "published") -> "Guide":
        """The guide as `as_json` stored it."""
        return cls(
            slug=stored["slug"], preset=stored["preset"], title=stored["title"], overview=stored["overview"],
            fields=dict(stored["fields"]), faq=tuple(Faq(*pair) for pair in stored["faq"]),
            aliases=tuple(stored["aliases"]), audience=tuple(stored["audience"]),
            life_events=tuple(stored["life_events"]), owner=stored["owner"], note=stored.get("note", ""),
            valid_from=_day(stored["valid_from"]), valid_to=_day(stored["valid_to"]),
            checked_on=_day(stored["checked_on"]), version=version or stored["version"], state=state,
        )


@dataclass(frozen=True)
class Citation:
    """Where an answer comes from; `quote` stands letter by letter in the guide."""

    guide: str
    section: str
    title: str
    version: int
    checked_on: date | None
    quote: str = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        return {"guide": self.guide, "section": self.section, "title": self.title, "version": self.version,
                "checked_on": _iso(self.checked_on), "quote": self.quote}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
