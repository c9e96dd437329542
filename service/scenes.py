"""QR codes with a scene: a poster in lift 3 opens a complaint about lift 3."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan stands for: the words it says to the assistant, the place it says them about, how it is shown."""

    said: str
    place: str
    text: str


async def find_scan(session: AsyncSession, row: Inbox) -> Scan | None:
    """What a resident who scanned one of our codes has thereby said; None for everything else."""
    scene = row.facts.get("scene")
    if row.event not in ("scan", "subscribe") or not scene:
        return None
    known = await session.get(Scene, (row.account, scene))
    if known is None:
        return None
    said = say(KINDS[known.kind])
    return Scan(said, known.place, say("scanned", place=known.place, said=said))
