"""The life of a guide: draft, review, published, expired, withdrawn; each step one conditional update and on record.

What stands goes on answering while its next version is being worked on: `pending` is that version's number.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock
from core.errors import Conflict, Invalid, NotFound, Stale
from knowledge_base import library
from knowledge_base.check import Fault, check_guide, references
from knowledge_base.diff import changes
from knowledge_base.guide import Guide
from knowledge_base.importer import Imported
from knowledge_base.tables import GuideRow, GuideVersion

STANDING = ("published", "expired")
"""While a guide is in one of these, an edit is worked on beside it."""

MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    "submit": (("draft",), "review"),
    "send_back": (("review",), "draft"),
    "publish": (("draft", "review"), "published"),
    "withdraw": (("draft", "review", "published", "expired"), "withdrawn"),
}
"""Verb → from which states, to which. `publish` and `submit` mean what is being worked on, `withdraw` all of it."""

WORDS = {"draft": "草稿", "review": "待审", "published": "已发布", "expired": "已过期", "withdrawn": "已撤下"}
MOVE_WORDS = {"submit": "提交审核", "send_back": "退回修改", "publish": "发布", "withdraw": "撤下", "discard": "放弃修改"}


@dataclass(frozen=True)
class Taken:
    """What became of a document that was imported."""

    guide: Guide
    change: str
    """added·updated·unchanged"""
    state: str


async def find_row(session: AsyncSession, preset: str, slug: str) -> GuideRow:
    """The guide, whatever its state."""
    row = await session.scalar(select(GuideRow).where(GuideRow.preset == preset, GuideRow.slug == slug))
    if row is None:
        raise NotFound(f"没有编号为 {slug[:60]} 的指南：GET /guides 列出全部")
    return row


def latest(row: GuideRow) -> int:
    """The newest version: the one being worked on, else the one that stands."""
    return row.pending or row.version


def working_state(row: GuideRow) -> str:
    """The state of the newest version."""
    return row.pending_state or row.state


def allowed(row: GuideRow) -> list[str]:
    """The verbs that work now."""
    state = working_state(row)
    found = [verb for verb, (froms, _) in MOVES.items() if state in froms or (verb == "withdraw" and row.state in froms)]
    return [*found, "discard"] if row.pending is not None else found


async def newest(session: AsyncSession, row: GuideRow) -> Guide:
    """The guide as its newest version says."""
    if row.pending is None:
        return Guide.from_json(row.content, version=row.version, state=row.state)
    stored = await find_version(session, row, row.pending)
    return Guide.from_json(stored.content, version=stored.version, state=row.pending_state or "draft")


async def find_version(session: AsyncSession, row: GuideRow, version: int) -> GuideVersion:
    found = await session.scalar(
        select(GuideVersion).where(GuideVersion.guide_id == row.id, GuideVersion.version == version)
    )
    if found is None:
        raise NotFound(f"没有第{version}版：GET /guides/{row.slug}/versions 列出全部")
    return found


async def draft(session: AsyncSession, guide: Guide, by: str, now: datetime) -> GuideRow:
    """A new guide, or the next version of one, as a draft. A version that says the same is no new one."""
    row = await session.scalar(
        select(GuideRow).where(GuideRow.preset == guide.preset, GuideRow.slug == guide.slug)
    )
    if row is None:
        return await library.store(session, Imported(guide, guide.digest), "draft", by, now)
    if (await newest(session, row)).digest == guide.digest and working_state(row) != "withdrawn":
        return row
    version = await _next_version(session, row)
    guide = dataclasses.replace(guide, version=version)
    if row.state in STANDING or row.pending is not None:
        await _change(session, row, by, now, "edit", pending=version, pending_state="draft", publish_at=None)
        session.add(GuideVersion(guide_id=row.id, version=version, digest=guide.digest, content=guide.as_json(),
                                 changed_at=now, changed_by=by))
        await session.flush()
        return row
    await _change(session, row, by, now, "edit", state="draft", sample=False, publish_at=None)
    return await library.put_version(session, row, guide, by, now)


async def discard(session: AsyncSession, row: GuideRow, by: str, now: datetime) -> None:
    """Give up what is being worked on; what stands goes on standing, the version stays on record."""
    if row.pending is None:
        _refuse(row, "discard")
    await _change(session, row, by, now, "discard", pending=None, pending_state=None, publish_at=None)


async def move(session: AsyncSession, row: GuideRow, verb: str, by: str, now: datetime, reason: str | None = None) -> None:
    """submit, send_back or withdraw. Conflict from a state where it cannot be done."""
    _, to = MOVES[verb]
    if verb not in allowed(row):
        _refuse(row, verb)
    if verb == "withdraw":
        await _change(session, row, by, now, verb, reason, state=to, pending=None, pending_state=None,
                      publish_at=None, sample=False)
        await library.count_change(session)
    elif row.pending is not None:
        await _change(session, row, by, now, verb, reason, pending_state=to, publish_at=None)
    else:
        await _change(session, row, by, now, verb, reason, state=to, publish_at=None)


async def publish(session: AsyncSession, row: GuideRow, by: str, now: datetime, at: datetime | None = None) -> None:
    """The newest version answers from now on, or from `at`. Invalid for what must not be published as it is."""
    if "publish" not in allowed(row):
        _refuse(row, "publish")
    guide = await newest(session, row)
    faults = await find_faults(session, guide, at or now)
    if faults:
        told = "；".join(f"{fault.field}：{fault.text}" for fault in faults)
        raise Invalid(f"《{guide.title}》还不能发布，请先改好：{told}", faults[0].field)
    if at is not None and at > now:
        await _change(session, row, by, now, "schedule", publish_at=at)
        return
    await _put_up(session, row, guide, by, now)


async def _put_up(session: AsyncSession, row: GuideRow, guide: Guide, by: str, now: datetime) -> None:
    version = latest(row)
    await _change(session, row, by, now, "publish", state="published", version=version, digest=guide.digest,
                  content=dataclasses.replace(guide, version=version).as_json(), title=guide.title,
                  owner=guide.owner, valid_from=guide.valid_from, valid_to=guide.valid_to,
                  checked_on=guide.checked_on, pending=None, pending_state=None, publish_at=None, sample=False)
    await library.put_sections(session, row, guide)
    await library.count_change(session)


async def find_faults(session: AsyncSession, guide: Guide, now: datetime) -> list[Fault]:
    """What must be put right before this guide may answer residents on that day."""
    faults = check_guide(guide, clock.local(now).date())
    named = references(guide) - {guide.slug}
    known = set(await session.scalars(
        select(GuideRow.slug).where(GuideRow.preset == guide.preset, GuideRow.slug.in_(named))
    ))
    return faults + [Fault(guide.slug, "-", f"引用了不存在的指南 {slug}") for slug in sorted(named - known)]


async def take_in(session: AsyncSession, many: Iterable[Imported], by: str, now: datetime, *,
                  publish_it: bool = False) -> list[Taken]:
    """Put imported guides in: drafts, or published where nothing is wrong with them; the same again is no change.

    All are stored before the first is published, because they may name each other.
    """
    stored = []
    for imported in many:
        guide = imported.guide
        known = await session.scalar(
            select(GuideRow).where(GuideRow.preset == guide.preset, GuideRow.slug == guide.slug)
        )
        before = latest(known) if known else None
        row = await draft(session, guide, by, now)
        stored.append((row, guide, "added" if before is None else "unchanged" if before == latest(row) else "updated"))
    found = []
    for row, guide, change in stored:
        if publish_it and "publish" in allowed(row) and not await find_faults(session, guide, now):
            await publish(session, row, by, now)
        found.append(Taken(guide, change, working_state(row)))
    return found


async def run_calendar(session: AsyncSession, now: datetime) -> list[str]:
    """Publish what was scheduled and expire what is over; for a worker. Answers the slugs that changed."""
    today = clock.local(now).date()
    changed = []
    for row in (await session.scalars(select(GuideRow).where(GuideRow.publish_at <= now))).all():
        await _put_up(session, row, await newest(session, row), "system", now)
        changed.append(row.slug)
    over = select(GuideRow).where(GuideRow.state == "published", GuideRow.valid_to < today)
    for row in (await session.scalars(over)).all():
        await _change(session, row, "system", now, "expire", state="expired")
        await library.count_change(session)
        changed.append(row.slug)
    return changed


async def describe_versions(session: AsyncSession, row: GuideRow) -> list[dict[str, Any]]:
    """All versions, newest first: who changed what and when, against the version before."""
    stored = (await session.scalars(
        select(GuideVersion).where(GuideVersion.guide_id == row.id).order_by(GuideVersion.version)
    )).all()
    found: list[dict[str, Any]] = []
    before: GuideVersion | None = None
    for each in stored:
        found.append({
            "version": each.version, "status": _status_of(row, each.version), "changed_at": each.changed_at,
            "changed_by": each.changed_by, "changes": changes(before.content if before else None, each.content),
        })
        before = each
    return found[::-1]


def _status_of(row: GuideRow, version: int) -> str:
    if version == row.pending:
        return row.pending_state or "draft"
    return row.state if version == row.version else "earlier"


async def _next_version(session: AsyncSession, row: GuideRow) -> int:
    query = select(func.max(GuideVersion.version)).where(GuideVersion.guide_id == row.id)
    return (await session.scalar(query) or 0) + 1


def _refuse(row: GuideRow, verb: str) -> None:
    can = "、".join(MOVE_WORDS[each] for each in allowed(row)) or "先改成新的草稿"
    raise Conflict(f"《{row.title}》现在是{WORDS[working_state(row)]}，不能{MOVE_WORDS[verb]}；可以{can}")


async def _change(session: AsyncSession, row: GuideRow, by: str, now: datetime, deed: str,
                  reason: str | None = None, **values: Any) -> None:
    """One conditional update of the guide as it was seen, and its line in the record. Stale when somebody was faster."""
    done = await session.execute(
        update(GuideRow)
        .where(GuideRow.id == row.id, GuideRow.state == row.state, GuideRow.version == row.version,
               GuideRow.pending.is_not_distinct_from(row.pending),
               GuideRow.pending_state.is_not_distinct_from(row.pending_state))
        .values(changed_at=now, changed_by=by, **values)
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise Stale("这篇指南刚刚被别人改过：重新读取，再决定怎么改")
    await session.refresh(row)
    audit.record(session, now, by, f"guide:{deed}", f"guide:{row.preset}/{row.slug}", reason,
                 {"version": latest(row), "state": working_state(row)})
