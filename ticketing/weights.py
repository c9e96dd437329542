"""The versions of what was learnt about categories, and which one is in force."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import LargeBinary, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, deferred, mapped_column

from core import audit
from core.db import UTC, Base, Id, Json
from core.errors import Conflict, NotFound

SHIPPED = 0
"""The version that is learnt at each start from the shipped phrases alone."""
BUSY = "正在学习，请等它结束；如果它中途停了，两分钟后可以重新开始。"
LEASE = timedelta(minutes=2)
"""A learning that has said nothing for so long was killed, and another may begin."""
KEPT = 5
"""Versions whose weights are kept besides the one in force and the one it replaced."""


class Weights(Base):
    """One learning. Its `content` is numbers for keyed digests of terms: nothing in it can be read."""

    __tablename__ = "weights"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    preset: Mapped[str]
    at: Mapped[datetime] = mapped_column(UTC)
    by: Mapped[str]
    outcome: Mapped[str]
    """better·not_better·too_few·one_category·nothing_new"""
    figures: Mapped[dict[str, Any]] = mapped_column(Json)
    lessons: Mapped[str]
    """A digest of the tickets it was learnt from: the same ones are not learnt from twice."""
    digest: Mapped[str | None]
    """Of the content; None where nothing could be learnt."""
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    """The same bytes as the file in `data_dir`, for processes on other machines; None once it is too old."""
    replaced: Mapped[int | None]
    """The version that was in force before this one: where a roll-back leads."""


class WeightsInForce(Base):
    """Which version a preset's tickets are sorted by; a process whose `changes` are older loads what stands here."""

    __tablename__ = "weights_in_force"

    preset: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=SHIPPED)
    changes: Mapped[int] = mapped_column(default=0)
    learning_by: Mapped[str | None]
    learning_until: Mapped[datetime | None] = mapped_column(UTC)


# Learning


async def begin(session: AsyncSession, preset: str, by: str, now: datetime) -> None:
    """Nobody else learns meanwhile. Conflict while somebody does."""
    await _have_row(session, preset)
    free = or_(WeightsInForce.learning_until.is_(None), WeightsInForce.learning_until < now)
    taken = await session.execute(
        update(WeightsInForce)
        .where(WeightsInForce.preset == preset, free)
        .values(learning_by=by, learning_until=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(BUSY)


async def is_busy(session: AsyncSession, preset: str, now: datetime) -> bool:
    """Whether somebody learns."""
    row = await session.get(WeightsInForce, preset)
    return row is not None and row.learning_until is not None and row.learning_until >= now


async def must_be_free(session: AsyncSession, preset: str, now: datetime) -> None:
    """Conflict while somebody learns."""
    if await is_busy(session, preset, now):
        raise Conflict(BUSY)


async def go_on(session: AsyncSession, preset: str, by: str, until: datetime | None) -> bool:
    """The learning lives until then (None: it is over). False when it lost its turn to another."""
    done = await session.execute(
        update(WeightsInForce)
        .where(WeightsInForce.preset == preset, WeightsInForce.learning_by == by)
        .values(learning_until=until, learning_by=by if until else None)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


# Versions


async def in_force(session: AsyncSession, preset: str) -> tuple[int, int]:
    """The version in force and the number of changes so far; (0, 0) while nothing was ever learnt."""
    query = select(WeightsInForce.version, WeightsInForce.changes).where(WeightsInForce.preset == preset)
    row = (await session.execute(query)).first()
    return (row.version, row.changes) if row else (SHIPPED, 0)


async def newest(session: AsyncSession, preset: str) -> Weights | None:
    query = select(Weights).where(Weights.preset == preset).order_by(Weights.id.desc()).limit(1)
    return await session.scalar(query)


async def find(session: AsyncSession, preset: str, version: int) -> Weights:
    """NotFound where this office has no such version."""
    row = await session.get(Weights, version)
    if row is None or row.preset != preset:
        raise NotFound(f"没有第 {version} 版：用 huiyin train list 或“类别学习”页查看有哪些。")
    return row


async def put_in_force(
    session: AsyncSession, preset: str, version: int, by: str, now: datetime, instead_of: int | None = None
) -> int:
    """From now on tickets are sorted by this version; the one it replaces is returned.

    Conflict where its weights are no longer kept, or where another than `instead_of` has come into force meanwhile.
    """
    current, _ = await in_force(session, preset)
    row = await find(session, preset, version) if version != SHIPPED else None
    if row is not None and not await _has_content(session, row):
        raise Conflict(f"第 {version} 版没有学成，或者太旧、内容已经清除，不能启用：请选别的版本，或重新学习。")
    await _move(session, preset, current if instead_of is None else instead_of, version)
    if row is not None and version != current:
        row.replaced = current
    audit.record(session, now, by, "weights:put_in_force", f"weights:{version}", detail={"replaced": current})
    return current


async def roll_back(session: AsyncSession, preset: str, by: str, now: datetime) -> int:
    """Back to what was in force before; returned. Conflict where that is nothing but what is shipped already."""
    current, _ = await in_force(session, preset)
    if current == SHIPPED:
        raise Conflict("现在用的就是随软件提供的版本，没有可以退回的版本。")
    before = (await find(session, preset, current)).replaced or SHIPPED
    if before != SHIPPED and not await _has_content(session, await find(session, preset, before)):
        before = SHIPPED
    await _move(session, preset, current, before)
    audit.record(session, now, by, "weights:roll_back", f"weights:{before}", detail={"replaced": current})
    return before


async def _move(session: AsyncSession, preset: str, seen: int, version: int) -> None:
    await _have_row(session, preset)
    moved = await session.execute(
        update(WeightsInForce)
        .where(WeightsInForce.preset == preset, WeightsInForce.version == seen)
        .values(version=version, changes=WeightsInForce.changes + 1)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict("这时别人启用了另一版：请刷新后再看。")


async def _have_row(session: AsyncSession, preset: str) -> None:
    if await session.get(WeightsInForce, preset) is None:
        session.add(WeightsInForce(preset=preset))
        await session.flush()


async def _has_content(session: AsyncSession, row: Weights) -> bool:
    return bool(await session.scalar(select(Weights.content.is_not(None)).where(Weights.id == row.id)))


async def drop_old(session: AsyncSession, preset: str) -> set[str]:
    """Old weights go, the figures stay. The digests of those that are still kept."""
    current, _ = await in_force(session, preset)
    query = (
        select(Weights.id, Weights.digest, Weights.replaced)
        .where(Weights.preset == preset, Weights.content.is_not(None))
        .order_by(Weights.id.desc())
    )
    rows = (await session.execute(query)).all()
    replaced = next((row.replaced for row in rows if row.id == current), None)
    kept = {row.id for row in rows[:KEPT]} | {current, replaced}
    old = [row.id for row in rows if row.id not in kept]
    await session.execute(
        update(Weights).where(Weights.id.in_(old)).values(content=None).execution_options(synchronize_session=False)
    )
    return {str(row.digest) for row in rows if row.id in kept}
