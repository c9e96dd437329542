"""The guides in the database: load the shipped ones, store, read; each change counted for the indexes."""

import asyncio
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Database
from knowledge_base.guide import PRESETS, Guide
from knowledge_base.importer import Imported, import_file
from knowledge_base.tables import GuideRow, GuideSection, GuidesVersion, GuideVersion

GUIDES = Path(__file__).parent / "guides"
"""The guides that come with Huiyin."""

TOGETHER = 8
"""Shipped guides stored in one transaction."""


def shipped(presets: Iterable[str] = PRESETS, folder: Path = GUIDES) -> list[Imported]:
    """The guides that come with Huiyin, in the order of their file names."""
    return [import_file(path, preset) for preset in presets for path in sorted((folder / preset).glob("*.md"))]


async def load_shipped(
    db: Database, presets: Iterable[str], samples: bool, now: datetime, folder: Path = GUIDES
) -> list[str]:
    """Bring the shipped guides up to date; answers the slugs that changed.

    `samples` decides whether they are published or drafts. A guide that an editor took over, or withdrew, is
    left as it is. They are read in a thread and stored a few at a time, so that no message waits for them.
    """
    wanted = "published" if samples else "draft"
    changed: list[str] = []
    for some in _batched(await asyncio.to_thread(shipped, list(presets), folder), TOGETHER):
        async with db.writing() as session:
            changed += [imported.guide.slug for imported in some if await _load(session, imported, wanted, now)]
    if changed:
        async with db.writing() as session:
            await count_change(session)
    return changed


async def _load(session: AsyncSession, imported: Imported, wanted: str, now: datetime) -> bool:
    row = await _row(session, imported.guide.preset, imported.guide.slug)
    if row is not None and (not row.sample or row.state == "withdrawn"):
        return False
    if row is None or row.digest != imported.digest:
        await store(session, imported, wanted, "system", now, sample=True)
        return True
    if row.state != wanted and row.state in ("draft", "published"):
        row.state = wanted
        return True
    return False


def _batched(items: Sequence[Imported], size: int) -> Iterator[Sequence[Imported]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def store(
    session: AsyncSession, imported: Imported, state: str, by: str, now: datetime, *, sample: bool = False
) -> GuideRow:
    """Put a guide in as a new one or as the next version; an unchanged digest changes nothing."""
    guide = imported.guide
    row = await _row(session, guide.preset, guide.slug)
    if row is not None and row.digest == imported.digest:
        return row
    highest = 0
    if row is None:
        row = GuideRow(preset=guide.preset, slug=guide.slug, version=0)
        session.add(row)
    else:
        query = select(func.max(GuideVersion.version)).where(GuideVersion.guide_id == row.id)
        highest = await session.scalar(query) or 0
    row.state, row.sample, row.publish_at = state, sample, None
    version = max(guide.version, highest + 1)
    return await put_version(session, row, dataclasses.replace(guide, version=version), by, now)


async def put_version(session: AsyncSession, row: GuideRow, guide: Guide, by: str, now: datetime) -> GuideRow:
    """Make this version the one that stands, in whatever state the row is."""
    row.title, row.version, row.digest = guide.title, guide.version, guide.digest
    row.content, row.owner = guide.as_json(), guide.owner
    row.valid_from, row.valid_to, row.checked_on = guide.valid_from, guide.valid_to, guide.checked_on
    row.changed_at, row.changed_by = now, by
    await session.flush()
    session.add(GuideVersion(guide_id=row.id, version=row.version, digest=row.digest, content=row.content,
                             changed_at=now, changed_by=by))
    await put_sections(session, row, guide)
    await count_change(session)
    return row


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


async def put_sections(session: AsyncSession, row: GuideRow, guide: Guide) -> None:
    """The quotable parts of the version that stands."""
    await session.execute(delete(GuideSection).where(GuideSection.guide_id == row.id))
    for ordinal, section in enumerate(guide.sections()):
        session.add(GuideSection(guide_id=row.id, ordinal=ordinal, field=section.field,
                                 question=section.question, text=section.text))
    await session.flush()
