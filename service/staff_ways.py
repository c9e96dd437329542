"""How members of staff are told: the console, which is the outbox row itself, and webhooks the office set."""

import json
from collections.abc import Iterable

import aiohttp
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import Attempt, Capabilities, PermanentFailure, Sent, TemporaryFailure
from core.message import OutboundMessage

TIMEOUT = aiohttp.ClientTimeout(total=15)
LONGEST_ANSWER = 64 * 1024
LONGEST_TEXT = 2000
OUT_ONLY = Capabilities(
    max_chars=None, media=(), window=None, carries=(), announces=(), pushes=True, idempotent_send=True
)
"""No step of a resident's plan leads here."""


class Console:
    """The console shows what was told to whom is signed in: nothing is sent anywhere."""

    name = "console"
    account = "main"
    capabilities = OUT_ONLY

    def routes(self) -> Iterable[web.RouteDef]:
        return []

    def secrets(self) -> list[str]:
        return []

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def close(self) -> None:
        """Nothing is open."""

    async def send(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        return Sent(f"console:{attempt.outbox_id}")

    async def forget(self, session: AsyncSession, value: str) -> None:
        """Nothing is kept here."""


class Webhook(Console):
    """One address of `staff.notify`: `{"msgtype": "text", "text": {"content"}, "id", "to"}`, as work chats take it."""

    name = "webhook"

    def __init__(self, account: str, url: SecretStr, http: aiohttp.ClientSession) -> None:
        """`account` is its place in the list; `http` is shared and closed by its owner."""
        self.account = account
        self._url = url.get_secret_value()
        self._http = http

    def secrets(self) -> list[str]:
        return [self._url]

    async def send(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        """4xx is refused for good; so is a 200 whose `errcode` is not 0, as work chats say no."""
        body = {
            "msgtype": "text", "text": {"content": message.text[:LONGEST_TEXT]}, "id": attempt.outbox_id,
            "to": message.recipient,
        }
        try:
            async with self._http.post(self._url, json=body, timeout=TIMEOUT, allow_redirects=False) as response:
                status, answer = response.status, await response.content.read(LONGEST_ANSWER)
        except (TimeoutError, aiohttp.ClientError) as error:
            raise TemporaryFailure(f"the webhook is away: {type(error).__name__}") from None
        if 400 <= status < 500 and status not in (408, 429):
            raise PermanentFailure(f"the webhook refuses: {status}")
        if status // 100 != 2:
            raise TemporaryFailure(f"the webhook answers {status}")
        if code := _errcode(answer):
            raise PermanentFailure(f"the webhook refuses: errcode {code}")
        return Sent(None)


def _errcode(answer: bytes) -> object:
    try:
        read = json.loads(answer)
    except ValueError:
        return None
    return read.get("errcode") if isinstance(read, dict) else None
