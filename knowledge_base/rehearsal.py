"""暗访: each published guide is asked its own questions and looked through; what fails is for its owner.

A rehearsal only asks the index: nothing of it is kept as a resident's question, counted or told to anybody but owners.
"""

import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from core import clock
from knowledge_base.answer import OPEN_FIELDS, Answer, Opening, answer
from knowledge_base.belonging import Belonging
from knowledge_base.check import check_guide, find_contradictions, references
from knowledge_base.guide import HEADINGS, Guide
from knowledge_base.index import Index

ASKED: Mapping[str, str] = {
    "overview": "{title}", "materials": "{title}要带什么材料", "steps": "{title}的办理流程", "fee": "{title}要多少钱",
    "limit": "{title}要多久能办好", "address": "{title}在哪里办", "hours": "{title}几点上班",
    "phone": "{title}的咨询电话是多少",
}
"""Field → the question that every guide is asked."""
WIDE = ("faq", "overview")
"""What names no field may be answered by whichever section of the guide is nearest."""
RULES = ("warning_sign", "diagnosis", "department", "notice")
"""Answers that come before any guide's by rule; a guide that is passed over for them has no fault."""
CAREFUL = ("fee", "fee_basis", "limit_promised", "limit_statutory", "phone", "supervision_phone", "materials", "address", "hours")
"""Fields whose change without a new check is a fault."""
OLDEST = timedelta(days=730)
FARTHEST = timedelta(days=3660)
EARLIEST = date(1949, 10, 1)


@dataclass(frozen=True)
class Failure:
    """One thing that an owner must look at."""

    guide: str
    title: str
    owner: str
    kind: str
    """answer·field·quote·opening·dates·text·link·swapped·unchecked·altered"""
    field: str
    text: str
    question: str = ""

    def as_json(self) -> dict[str, str]:
        return {"guide": self.guide, "title": self.title, "owner": self.owner, "kind": self.kind, "field": self.field,
                "text": self.text, "question": self.question}


@dataclass(frozen=True)
class Known:
    """What is on record of a guide: the version that was stored, and the one before it."""

    stored: Guide | None = None
    before: Guide | None = None


@dataclass
class Outcome:
    """What a rehearsal came to."""

    guides: int = 0
    questions: int = 0
    failures: list[Failure] = field(default_factory=list)


async def rehearse(
    index: Index, guides: Sequence[Guide], now: datetime, *, opening: Opening | None = None,
    known: Mapping[str, Known] | None = None, only: Collection[str] = (),
) -> Outcome:
    """All of one preset's published guides, which `index` must hold, or `only` some of them by slug.

    `known` is their record by slug.
    """
    asked = [guide for guide in guides if not only or guide.slug in only]
    outcome = Outcome(len(asked))
    slugs = {guide.slug for guide in guides}
    belonging = Belonging(guides)
    today = clock.local(now).date()
    for guide in asked:
        outcome.failures += _look_through(guide, today, slugs, belonging, (known or {}).get(guide.slug, Known()))
        async for question, found in _ask(index, guide, now, opening):
            outcome.questions += 1
            if found is not None:
                outcome.failures.append(_failure(guide, *found, question))
    by_slug = {guide.slug: guide for guide in asked}
    outcome.failures += [_failure(by_slug[fault.guide], "text", fault.field, fault.text)
                         for fault in find_contradictions(guides) if fault.guide in by_slug]
    return outcome


# Looking it through


def _look_through(guide: Guide, today: date, slugs: set[str], belonging: Belonging, known: Known) -> list[Failure]:
    found: list[tuple[str, str, str]] = [
        ("link" if "链接" in fault.text else "dates" if fault.field in ("valid_from", "valid_to", "checked_on") else "text",
         fault.field, fault.text) for fault in check_guide(guide, today)
    ]
    found += [("link", "-", f"引用了没有发布的指南 {slug}") for slug in sorted(references(guide) - slugs)]
    found += [("dates", name, text) for name, text in _dates(guide, today)]
    found += [("swapped", name, text) for name, text in belonging.find(guide)]
    found += _against_record(guide, known)
    return [_failure(guide, *each) for each in dict.fromkeys(found)]


def _dates(guide: Guide, today: date) -> Iterable[tuple[str, str]]:
    if guide.is_expired(today):
        yield "valid_to", "已经过期，却还标着已发布" if guide.state == "published" else "已经过期，居民只能问到到期日期"
    if guide.valid_from and guide.valid_from > today:
        yield "valid_from", f"{guide.valid_from} 才生效，现在不能回答居民"
    if guide.valid_from and guide.valid_from < EARLIEST:
        yield "valid_from", f"生效日期 {guide.valid_from} 不像真的"
    if guide.valid_to and guide.valid_to > today + FARTHEST:
        yield "valid_to", f"有效期写到 {guide.valid_to}，太远了"
    if guide.checked_on and guide.checked_on < today - OLDEST:
        yield "checked_on", f"上次核对是 {guide.checked_on}，已经超过两年"
    if guide.checked_on and guide.valid_to and guide.checked_on > guide.valid_to:
        yield "checked_on", f"核对日期 {guide.checked_on} 晚于有效期"


def _against_record(guide: Guide, known: Known) -> list[tuple[str, str, str]]:
    """The text is the one that was stored, and what matters was not changed without a new check."""
    if known.stored is not None and known.stored.digest != guide.digest:
        return [("altered", "-", f"内容与留存的第{guide.version}版不一致，没有经过修改记录")]
    before = known.before
    if before is None or guide.checked_on is None or before.checked_on is None or guide.checked_on > before.checked_on:
        return []
    changed = [name for name in CAREFUL if guide.fields.get(name) != before.fields.get(name)]
    return [("unchecked", name, f"“{HEADINGS[name]}”和第{before.version}版不同，核对日期却没有更新") for name in changed]


# Asking it


async def _ask(
    index: Index, guide: Guide, now: datetime, opening: Opening | None
) -> AsyncIterator[tuple[str, tuple[str, str, str] | None]]:
    """Each question, with (kind, field, what is wrong) where the answer is not the guide's own."""
    for each in guide.faq:
        got = await answer(None, index, each.question, guide.preset, now, opening=opening)
        yield each.question, _judge(guide, got, "faq")
    for name, words in ASKED.items():
        question = words.format(title=guide.title)
        got = await answer(None, index, question, guide.preset, now, opening=opening)
        fault = _judge(guide, got, name)
        if fault is None and opening is not None and got.field in OPEN_FIELDS and got.reason not in RULES:
            state = opening(guide, clock.local(now).date(), now)
            if state and state not in got.text:
                fault = ("opening", name, "没有告诉居民现在是否办公")
        yield question, fault


def _judge(guide: Guide, got: Answer, asked: str) -> tuple[str, str, str] | None:
    """None for an answer of this guide to what was asked, quoted letter by letter."""
    if got.reason in RULES:
        return None
    cited = [each for each in got.citations if each.guide == guide.slug]
    if got.status == "expired":
        return "answer", asked, "居民问起时得到的是“已到期”"
    if got.status != "answered" or not cited:
        instead = got.citations[0].title if got.citations else (got.candidates[0].title if got.candidates else "没有指南")
        return "answer", asked, f"没有得到这篇指南的答复（{got.status}，{instead}）"
    if asked not in WIDE and got.field != asked:
        return "field", asked, f"问的是{HEADINGS.get(asked, asked)}，答的是{HEADINGS.get(got.field or '', got.field)}"
    texts = {section.text for section in guide.sections()}
    if any(each.quote not in texts and not _is_part(each.quote, texts) for each in cited):
        return "quote", asked, "答复引用的文字与指南不一致"
    return None


def _is_part(quote: str, texts: Iterable[str]) -> bool:
    return any(quote in text for text in texts)


def _failure(guide: Guide, kind: str, name: str, text: str, question: str = "") -> Failure:
    return Failure(guide.slug, guide.title, guide.owner, kind, name, re.sub(r"\s+", " ", text), question)


def by_owner(failures: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The list of each owner."""
    lists: dict[str, list[Mapping[str, Any]]] = {}
    for each in failures:
        lists.setdefault(str(each["owner"]), []).append(each)
    return lists
