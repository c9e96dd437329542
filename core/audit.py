"""The audit record: who did what to which, when and why. Rows are added, never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, Id, Json


class Audit(Base):
    """One act. `subject` is a kind and an identity, such as `ticket:HY20261123-00017`."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UTC)
    actor: Mapped[str] = mapped_column(index=True)
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    reason: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(Json)


def record(
    session: AsyncSession,
    now: datetime,
    actor: str,
    action: str,
    subject: str,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add one act, in the transaction of the act itself. `detail` holds no personal data."""
    session.add(Audit(at=now, actor=actor, action=action, subject=subject, reason=reason, detail=detail or {}))


async def keep(session: AsyncSession, rows: Sequence[Audit]) -> None:
    """Acts that were recorded where nothing could be written, in one INSERT; SQLite would be given one for each."""
    names = [column.key for column in Audit.__table__.columns if column.key != "id"]
    await session.execute(insert(Audit), [{name: getattr(row, name) for name in names} for row in rows])
