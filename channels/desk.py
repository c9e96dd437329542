"""Desk: letters and walk-ins, which a clerk registers; what goes back goes by hand."""

from collections.abc import Iterable

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import Attempt, Capabilities, PermanentFailure, Sent
from core.message import OutboundMessage


class Desk:
    """The counter; `account` is always `main`. It has no callback: the console and the API register."""

    name = "desk"
    account = "main"
    capabilities = Capabilities(
        max_chars=None,
        media=("image", "document"),
        window=None,
        carries=(),
        announces=(),
        pushes=False,
        idempotent_send=False,
        proof="a call logged as reached, or a letter collected",
    )

    def routes(self) -> Iterable[web.RouteDef]:
        return []

    def secrets(self) -> list[str]:
        return []

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def close(self) -> None:
        """Nothing is open."""

    async def send(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        raise PermanentFailure("a letter, a collection or a call is made by a person: that task is the next step")

    async def forget(self, session: AsyncSession, value: str) -> None:
        """Nothing is kept here."""
