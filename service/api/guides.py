"""Guides over the API: read, draft, submit, publish, withdraw, and the versions with what changed in each."""

import dataclasses
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select

from core.clock import write_time
from core.errors import Conflict, Invalid, NotFound, Stale
from knowledge_base import life
from knowledge_base.guide import FIELD_NAMES, PRESETS, Faq, Guide
from knowledge_base.importer import clean
from knowledge_base.tables import GuideRow
from service.api.endpoint import Call, Endpoint, Result, cut, page

EDITORS = frozenset({"editor"})
PUBLISHERS = frozenset({"editor", "supervisor"})
READERS_OF_DRAFTS = frozenset({"clerk", "officer", "supervisor", "inspector", "editor", "auditor", "administrator"})

Preset = Literal["property", "hall", "hospital"]
Slug = Annotated[str, StringConstraints(pattern=r"^[^\s/?#%&<>\"']{1,80}$")]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(max_length=100_000)]


class FaqEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    question: Title
    answer: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]


class GuideEdit(BaseModel):
    """What is left out stays as it was; of `fields` each named one is replaced, an empty text removes it."""

    model_config = ConfigDict(extra="forbid")
    title: Title | None = None
    overview: Text = ""
    note: Text = ""
    fields: dict[str, Text] = {}
    faq: list[FaqEntry] = Field([], max_length=200)
    aliases: list[Words] = Field([], max_length=100)
    audience: list[Words] = Field([], max_length=50)
    life_events: list[Words] = Field([], max_length=50)
    owner: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    valid_from: date | None = None
    valid_to: date | None = None
    checked_on: date | None = None


class NewGuide(GuideEdit):
    slug: Slug
    title: Title
    preset: Preset | None = None


class Publish(BaseModel):
    model_config = ConfigDict(extra="forbid")
    at: AwareDatetime | None = None


class Reason(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: str = Field("", max_length=1000)


class GivenReason(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


async def list_guides(call: Call) -> Result:
    limit, after = call.limit(), call.after()
    query = select(GuideRow).order_by(GuideRow.id.desc()).limit(limit + 1)
    for name, column in (("preset", GuideRow.preset), ("status", GuideRow.state)):
        if name in call.query:
            query = query.where(column == call.query[name])
    if "q" in call.query:
        query = query.where(GuideRow.title.contains(call.query["q"], autoescape=True))
    if after is not None:
        query = query.where(GuideRow.id < after)
    rows, more = cut((await call.session.scalars(query)).all(), limit)
    return page([_summary(row) for row in rows], rows[-1].id if rows else None, more)


def _summary(row: GuideRow) -> dict[str, Any]:
    return {
        "slug": row.slug, "preset": row.preset, "title": row.title, "status": row.state, "version": row.version,
        "latest": life.latest(row), "owner": row.owner, "checked_on": _day(row.checked_on),
        "valid_from": _day(row.valid_from), "valid_to": _day(row.valid_to),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


async def read(call: Call) -> Result:
    """The version that stands and, for staff, the one that is being worked on; `?version=` an earlier one."""
    row = await _find(call)
    found = await _describe(call, row)
    if "version" in call.query:
        number = call.query["version"]
        if not number.isascii() or not number.isdecimal() or len(number) > 9:
            raise Invalid("version is a number", "version")
        stored = await life.find_version(call.session, row, int(number))
        found |= _content(Guide.from_json(stored.content, version=stored.version))
    return _answer(row, found)


async def _find(call: Call) -> GuideRow:
    """The guide of the address; what residents do not read yet is there for staff only."""
    preset = call.query.get("preset", call.runtime.settings.office.preset)
    if preset not in PRESETS:
        raise Invalid(f"preset is one of {', '.join(PRESETS)}", "preset")
    row = await life.find_row(call.session, preset, call.params["slug"])
    if row.state not in life.STANDING and not call.actor.roles & READERS_OF_DRAFTS:
        raise NotFound("没有这篇指南：GET /guides 列出全部")
    return row


async def _describe(call: Call, row: GuideRow) -> dict[str, Any]:
    """The guide as it stands; for staff with its draft, its faults and what may be done."""
    found = {
        **_summary(row), **_content(Guide.from_json(row.content, version=row.version)),
        "changed_at": write_time(row.changed_at), "changed_by": row.changed_by,
        "publish_at": write_time(row.publish_at),
        "url": f"{call.runtime.settings.public_url}/guides/{row.slug}",
    }
    if call.actor.roles & READERS_OF_DRAFTS:
        guide = await life.newest(call.session, row)
        faults = await life.find_faults(call.session, guide, row.publish_at or call.now)
        found["draft"] = _content(guide) | {"status": row.pending_state} if row.pending else None
        found["faults"] = [{"field": fault.field, "text": fault.text} for fault in faults]
        found["allowed"] = life.allowed(row)
    return found


def _content(guide: Guide) -> dict[str, Any]:
    stored = guide.as_json()
    stored["faq"] = [{"question": each.question, "answer": each.answer} for each in guide.faq]
    return stored


def _answer(row: GuideRow, found: dict[str, Any], status: int = 200) -> Result:
    return Result(found, status, {"ETag": f'"{life.latest(row)}"'})


async def create(call: Call) -> Result:
    """A new guide, as a draft."""
    body: NewGuide = call.body()
    preset = body.preset or call.runtime.settings.office.preset
    known = select(GuideRow.id).where(GuideRow.preset == preset, GuideRow.slug == body.slug)
    if await call.session.scalar(known) is not None:
        raise Conflict(f"编号 {body.slug} 已经有指南了：改它用 PUT /guides/{body.slug}")
    guide = _edited(Guide(body.slug, preset, body.title, "", {}, version=1), body)
    row = await life.draft(call.session, guide, call.actor.name, call.now)
    result = _answer(row, await _describe(call, row), 201)
    return Result(result.data, 201, {**result.headers, "Location": f"/api/v1/guides/{row.slug}"})


async def edit(call: Call) -> Result:
    """The next version as a draft; what stands goes on answering until it is published."""
    row = await _find(call)
    call.require(*EDITORS)
    body: GuideEdit = call.body()
    _check_unchanged(call, row)
    guide = _edited(await life.newest(call.session, row), body)
    row = await life.draft(call.session, guide, call.actor.name, call.now)
    call.after_commit.append("guides")
    return _answer(row, await _describe(call, row))


def _edited(guide: Guide, body: GuideEdit) -> Guide:
    """The guide with what the body names, HTML cleaned away."""
    given = body.model_fields_set
    unknown = sorted(set(body.fields) - set(FIELD_NAMES) | ({"faq"} & set(body.fields)))
    if unknown:
        raise Invalid(f"没有栏目 {'、'.join(unknown)}；栏目有 {'、'.join(FIELD_NAMES[:-1])}", f"fields.{unknown[0]}")
    changed: dict[str, Any] = {
        name: getattr(body, name) for name in ("owner", "valid_from", "valid_to", "checked_on") if name in given
    }
    changed |= {name: _cleaned(getattr(body, name)) for name in ("overview", "note") if name in given}
    if body.title is not None:
        changed["title"] = _cleaned(body.title)
    changed |= {name: tuple(map(_cleaned, getattr(body, name)))
                for name in ("aliases", "audience", "life_events") if name in given}
    if "faq" in given:
        changed["faq"] = tuple(Faq(_cleaned(each.question), _cleaned(each.answer)) for each in body.faq)
    said = {**guide.fields, **{name: _cleaned(text) for name, text in body.fields.items()}}
    changed["fields"] = {name: text for name, text in said.items() if text}
    return dataclasses.replace(guide, **changed)


def _cleaned(text: str) -> str:
    """A line of a field is no heading of the whole guide, whatever it begins with."""
    lines = clean(text.replace("\r\n", "\n")).strip().split("\n")
    return "\n".join(line.lstrip("#").lstrip() if line.startswith("#") else line for line in lines)


def _check_unchanged(call: Call, row: GuideRow) -> None:
    if call.if_match is not None and call.if_match != life.latest(row):
        raise Stale(f"这篇指南已经改到第{life.latest(row)}版：重新读取，再决定怎么改")


async def submit(call: Call) -> Result:
    return await _move(call, "submit", EDITORS)


async def send_back(call: Call) -> Result:
    return await _move(call, "send_back", PUBLISHERS)


async def withdraw(call: Call) -> Result:
    return await _move(call, "withdraw", PUBLISHERS)


async def _move(call: Call, verb: str, roles: frozenset[str]) -> Result:
    row = await _find(call)
    call.require(*roles)
    body = call.body()
    _check_unchanged(call, row)
    await life.move(call.session, row, verb, call.actor.name, call.now, getattr(body, "reason", None) or None)
    call.after_commit.append("guides")
    return _answer(row, await _describe(call, row))


async def discard(call: Call) -> Result:
    row = await _find(call)
    call.require(*EDITORS)
    call.body()
    _check_unchanged(call, row)
    await life.discard(call.session, row, call.actor.name, call.now)
    return _answer(row, await _describe(call, row))


async def publish(call: Call) -> Result:
    """Now, or at the moment `at`. Residents are answered from it within a second or two."""
    row = await _find(call)
    call.require(*PUBLISHERS)
    body: Publish = call.body()
    _check_unchanged(call, row)
    await life.publish(call.session, row, call.actor.name, call.now, body.at)
    call.after_commit.append("guides")
    return _answer(row, await _describe(call, row))


async def versions(call: Call) -> Result:
    """Newest first: who changed what and when, field by field with the lines taken out and put in."""
    row = await _find(call)
    call.require(*READERS_OF_DRAFTS)
    limit, after = call.limit(), call.after()
    found = await life.describe_versions(call.session, row)
    items, more = cut([each for each in found if after is None or each["version"] < after], limit)
    told = [each | {"changed_at": write_time(each["changed_at"])} for each in items]
    return page(told, items[-1]["version"] if items else None, more)


OF = ("preset",)

ENDPOINTS = (
    Endpoint("GET", "/guides", list_guides, "Guides", query=("preset", "status", "q", "limit", "after"),
             tag="knowledge"),
    Endpoint("POST", "/guides", create, "A new guide, as a draft", NewGuide, EDITORS, "write", status=201,
             tag="knowledge"),
    Endpoint("GET", "/guides/{slug}", read, "One guide", query=(*OF, "version"), tag="knowledge"),
    Endpoint("PUT", "/guides/{slug}", edit, "The guide's next version, as a draft", GuideEdit, session="write",
             query=OF, tag="knowledge"),
    Endpoint("GET", "/guides/{slug}/versions", versions, "A guide's versions and what changed in each",
             query=(*OF, "limit", "after"), tag="knowledge"),
    Endpoint("POST", "/guides/{slug}/submit", submit, "Hand a draft in for review", Nothing, session="write",
             query=OF, tag="knowledge"),
    Endpoint("POST", "/guides/{slug}/send_back", send_back, "Send a draft back", GivenReason, session="write",
             query=OF, tag="knowledge"),
    Endpoint("POST", "/guides/{slug}/publish", publish, "Publish the newest version, now or later", Publish,
             session="write", query=OF, tag="knowledge"),
    Endpoint("POST", "/guides/{slug}/withdraw", withdraw, "Take a guide down", Reason, session="write", query=OF,
             tag="knowledge"),
    Endpoint("POST", "/guides/{slug}/discard", discard, "Give up what is being worked on", Nothing,
             session="write", query=OF, tag="knowledge"),
)
