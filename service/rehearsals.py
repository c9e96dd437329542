"""The nightly inspection inside the service: run it, keep what failed, tell the owners what is new."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, log
from core.db import Database
from knowledge_base import library
from knowledge_base.guide import Guide
from knowledge_base.tables import GuideRow, GuideVersion, Rehearsal
from service.runtime import Runtime
from service.settings import Settings
from service.staff_messages import tell_owner
from ticketing.office import Office

if TYPE_CHECKING:
    from knowledge_base.answer import Opening
    from knowledge_base.index import Index
    from knowledge_base.rehearsal import Known, Outcome

logger = log.logger(__name__)

NIGHT = timedelta(hours=4)
"""A rehearsal that was missed for so long waits for the next night: by day residents ask."""
SHOWN = 5
"""Failures that stand in the message itself; the list has all."""


async def is_due(db: Database, settings: Settings, now: datetime) -> bool:
    """Whether tonight's rehearsal is still to come and its time is there."""
    if not settings.guides.rehearse_at:
        return False
    local = clock.local(now)
    at = datetime.combine(local.date(), time.fromisoformat(settings.guides.rehearse_at), local.tzinfo)
    if not at <= local < at + NIGHT:
        return False
    query = select(Rehearsal.id).where(Rehearsal.preset == settings.office.preset, Rehearsal.at >= at).limit(1)
    async with db.reading() as session:
        return await session.scalar(query) is None


async def run(runtime: Runtime, by: str, now: datetime) -> None:
    """Rehearse the office's own guides on the index that residents are answered from, and tell the owners."""
    index = await runtime.knowledge.index()
    await runtime.knowledge.refresh(runtime.db)
    preset = runtime.settings.office.preset
    outcome = await rehearse(runtime.db, index, preset, now, runtime.knowledge.opening)
    async with runtime.db.writing() as session:
        before = await newest(session, preset)
        row = keep(session, outcome, preset, by, now)
        await _tell_owners(session, runtime.office, row, before, now)
    logger.info("guides rehearsed", guides=outcome.guides, questions=outcome.questions, failures=len(outcome.failures))


async def rehearse(db: Database, index: "Index", preset: str, now: datetime, opening: "Opening | None") -> "Outcome":
    """The published guides of one preset against their record. No transaction is open while questions are asked."""
    from knowledge_base import rehearsal

    async with db.reading() as session:
        guides = await library.guides(session, [preset], ["published"])
        known = await _record(session, preset)
    return await rehearsal.rehearse(index, guides, now, opening=opening, known=known)


async def _record(session: AsyncSession, preset: str) -> "dict[str, Known]":
    """For each guide the version that is stored and the one before it."""
    from knowledge_base.rehearsal import Known

    query = (
        select(GuideRow.slug, GuideVersion)
        .join(GuideVersion, GuideVersion.guide_id == GuideRow.id)
        .where(GuideRow.preset == preset, GuideVersion.version <= GuideRow.version)
        .order_by(GuideVersion.version)
    )
    found: dict[str, list[Guide]] = {}
    for slug, stored in (await session.execute(query)).all():
        found.setdefault(slug, []).append(Guide.from_json(stored.content, version=stored.version))
    return {slug: Known(many[-1], many[-2] if len(many) > 1 else None) for slug, many in found.items()}


def keep(session: AsyncSession, outcome: "Outcome", preset: str, by: str, now: datetime) -> Rehearsal:
    """Put the outcome on record."""
    row = Rehearsal(preset=preset, at=now, by=by, guides=outcome.guides, questions=outcome.questions,
                    failures=[failure.as_json() for failure in outcome.failures])
    session.add(row)
    return row


async def newest(session: AsyncSession, preset: str) -> Rehearsal | None:
    """The last rehearsal of this preset's guides."""
    query = select(Rehearsal).where(Rehearsal.preset == preset).order_by(Rehearsal.id.desc()).limit(1)
    return await session.scalar(query)


async def _tell_owners(
    session: AsyncSession, office: Office, row: Rehearsal, before: Rehearsal | None, now: datetime
) -> None:
    """Each owner hears of what failed and did not fail the night before."""
    from knowledge_base.rehearsal import by_owner

    known = {_key(failure) for failure in (before.failures if before else ())}
    new = [failure for failure in row.failures if _key(failure) not in known]
    for owner, failures in by_owner(new).items():
        await tell_owner(session, office, owner, _describe(owner, failures), now)


def _key(failure: dict[str, str]) -> tuple[str, ...]:
    return tuple(failure[name] for name in ("guide", "kind", "field", "text", "question"))


def _describe(owner: str, failures: Sequence[object]) -> str:
    lines = [f"《{each['title']}》{each['text']}" for each in failures[:SHOWN]]  # type: ignore[index]
    more = f"；还有 {len(failures) - SHOWN} 处" if len(failures) > SHOWN else ""
    return f"办事指南例行检查（{owner}）发现 {len(failures)} 处新问题：{'；'.join(lines)}{more}。"
