"""The life of a guide in the database: load, change, publish, withdraw; each change counted for the indexes."""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, NotFound
from knowledge_base.guide import PRESETS, Guide
from knowledge_base.importer import Imported, import_file
from knowledge_base.tables import GuideRow, GuideSection, GuidesVersion, GuideVersion

GUIDES = Path(__file__).parent / "guides"
"""The guides that come with Huiyin."""

MOVES: dict[str, tuple[str, ...]] = {
    "draft": ("review", "published", "withdrawn"),
    "review": ("draft", "published", "withdrawn"),
    "published": ("draft", "expired", "withdrawn"),
    "expired": ("draft", "published", "withdrawn"),
    "withdrawn": ("draft",),
}
"""From which state a guide may go to which."""


def shipped(presets: Iterable[str] = PRESETS, folder: Path = GUIDES) -> list[Imported]:
    """The guides that come with Huiyin, in the order of their file names."""
    return [import_file(path, preset) for preset in presets for path in sorted((folder / preset).glob("*.md"))]


async def load_shipped(
    session: AsyncSession, presets: Iterable[str], samples: bool, now: datetime, folder: Path = GUIDES
) -> list[str]:
    """Bring the shipped guides up to date; answers the slugs that changed.

    `samples` decides whether they are published or drafts. A guide that an editor took over, or withdrew, is
    left as it is.
    """
    state = "published" if samples else "draft"
    changed = []
    for imported in shipped(presets, folder):
        row = await _row(session, imported.guide.preset, imported.guide.slug)
        if row is not None and not row.sample:
            continue
        if row is None or row.digest != imported.digest:
            row = await store(session, imported, state, "system", now, sample=True)
            changed.append(row.slug)
        elif row.state != state and row.state in ("draft", "published"):
            row.state = state
            changed.append(row.slug)
    if changed:
        await count_change(session)
    return changed


async def store(
    session: AsyncSession, imported: Imported, state: str, by: str, now: datetime, *, sample: bool = False
) -> GuideRow:
    """Put a guide in as a new one or as the next version; an unchanged digest changes nothing."""
    guide = imported.guide
    row = await _row(session, guide.preset, guide.slug)
    if row is not None and row.digest == imported.digest:
        return row
    if row is None:
        row = GuideRow(preset=guide.preset, slug=guide.slug, version=0)
        session.add(row)
    version = max(guide.version, row.version + 1)
    guide = dataclasses.replace(guide, version=version)
    row.title, row.state, row.version, row.digest = guide.title, state, version, imported.digest
    row.content, row.owner, row.sample = guide.as_json(), guide.owner, sample
    row.valid_from, row.valid_to, row.checked_on = guide.valid_from, guide.valid_to, guide.checked_on
    row.publish_at, row.changed_at, row.changed_by = None, now, by
    await session.flush()
    await _store_parts(session, row, guide, now, by)
    await count_change(session)
    return row


async def move(session: AsyncSession, preset: str, slug: str, to: str, by: str, now: datetime) -> GuideRow:
    """Change the state of a guide; a published one answers residents from then on, another no longer."""
    row = await _row(session, preset, slug)
    if row is None:
        raise NotFound("没有这篇指南，请检查标识")
    if to not in MOVES[row.state]:
        raise Conflict(f"指南现在是 {row.state}，可以改为 {'、'.join(MOVES[row.state])}")
    row.state, row.changed_at, row.changed_by = to, now, by
    await count_change(session)
    return row


async def run_calendar(session: AsyncSession, now: datetime) -> list[str]:
    """Publish what was scheduled and expire what is over; for a worker. Answers the slugs that changed."""
    today = clock.local(now).date()
    due = (await session.scalars(select(GuideRow).where(
        GuideRow.state.in_(("draft", "review")), GuideRow.publish_at <= now))).all()
    over = (await session.scalars(select(GuideRow).where(
        GuideRow.state == "published", GuideRow.valid_to < today))).all()
    for row in due:
        row.state, row.publish_at = "published", None
    for row in over:
        row.state = "expired"
    for row in (*due, *over):
        row.changed_at, row.changed_by = now, "system"
    if due or over:
        await count_change(session)
    return [row.slug for row in (*due, *over)]


async def guides(session: AsyncSession, presets: Sequence[str] = PRESETS,
                 states: Sequence[str] = ("published", "expired")) -> list[Guide]:
    """The standing versions, by preset and slug."""
    rows = await session.scalars(select(GuideRow).where(
        GuideRow.preset.in_(presets), GuideRow.state.in_(states)).order_by(GuideRow.preset, GuideRow.slug))
    return [Guide.from_json(row.content, version=row.version, state=row.state) for row in rows]


async def find(session: AsyncSession, preset: str, slug: str) -> Guide | None:
    """One guide in its standing version, whatever its state."""
    row = await _row(session, preset, slug)
    return Guide.from_json(row.content, version=row.version, state=row.state) if row else None


async def current_version(session: AsyncSession) -> int:
    """How often the guides were changed; an index remembers the number it was built at."""
    return await session.scalar(select(GuidesVersion.version).where(GuidesVersion.id == 1)) or 0


async def count_change(session: AsyncSession) -> None:
    """Say to every process that its index is old."""
    done = await session.execute(
        update(GuidesVersion).where(GuidesVersion.id == 1).values(version=GuidesVersion.version + 1))
    if done.rowcount == 0:  # type: ignore[attr-defined]
        session.add(GuidesVersion(id=1, version=1))
        await session.flush()


async def _row(session: AsyncSession, preset: str, slug: str) -> GuideRow | None:
    return await session.scalar(select(GuideRow).where(GuideRow.preset == preset, GuideRow.slug == slug))


async def _store_parts(session: AsyncSession, row: GuideRow, guide: Guide, now: datetime, by: str) -> None:
    session.add(GuideVersion(guide_id=row.id, version=row.version, digest=row.digest, content=row.content,
                             changed_at=now, changed_by=by))
    await session.execute(delete(GuideSection).where(GuideSection.guide_id == row.id))
    for ordinal, section in enumerate(guide.sections()):
        session.add(GuideSection(guide_id=row.id, ordinal=ordinal, field=section.field,
                                 question=section.question, text=section.text))
    await session.flush()
