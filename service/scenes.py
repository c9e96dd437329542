"""QR codes with a scene: a poster in lift 3 opens a complaint about lift 3."""

from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base
from core.queues import Inbox
from service.texts import say

KINDS = {"complaint": "scanned_complaint", "request": "scanned_request", "suggestion": "scanned_suggestion"}
"""What a code may open, and the sentence a scan stands for."""


class Scene(Base):
    """What stands behind the code of one poster. The code itself holds the scene's name and nothing else."""

    __tablename__ = "wechat_scene"

    account: Mapped[str] = mapped_column(primary_key=True)
    scene: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(UTC)


async def remember(
    session: AsyncSession, account: str, scene: str, place: str, kind: str, now: datetime
) -> None:
    """Keep what a scene stands for; the same scene again changes it, so that posters need not be exchanged."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(Scene).values(account=account, scene=scene, place=place, kind=kind, at=now)
    changed = {name: statement.excluded[name] for name in ("place", "kind", "at")}
    await session.execute(statement.on_conflict_do_update(index_elements=["account", "scene"], set_=changed))


async def words_of(session: AsyncSession, row: Inbox) -> str | None:
    """What a resident who scanned a known code has thereby said; None for everything else."""
    scene = row.facts.get("scene")
    if row.event not in ("scan", "subscribe") or not scene:
        return None
    known = await session.get(Scene, (row.account, scene))
    return say(KINDS[known.kind], place=known.place) if known else None
