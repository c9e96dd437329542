"""Rasa, spoken to over HTTP: one turn of a matter in, what the assistant says out. A turn is never made twice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from core import log
from core.errors import AssistantUnavailable

LONGEST_TEXT = 5000
MOMENT_MARK = "\u241e"
"""Rasa's parse has no field for the moment: it follows the text (bot/nlu/components/tokenizer.py)."""
"""Rasa is sent no more than this of a message; the whole stays in the record."""

logger = log.logger(__name__)


@dataclass(frozen=True, slots=True)
class Saying:
    """One sentence of the assistant and the choices it offers."""

    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """What a resident said, and what Rasa must know beside it (`metadata`: matter, message, channel, …)."""

    matter: int
    message: int
    text: str
    metadata: dict[str, Any]


class Assistant:
    """A Rasa server. `url` and `token` may change while it is (re)started by us."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str, timeout_s: float) -> None:
        self._http = http
        self.url = url.rstrip("/")
        self._token = token
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=2)

    def connect(self, url: str, token: str) -> None:
        """Where Rasa listens now."""
        self.url, self._token = url.rstrip("/"), token

    async def take_turn(self, turn: Turn, *, again: bool) -> list[Saying]:
        """The replies to one message. `again`: it may have been sent before, so its tracker is asked first.

        Raises AssistantUnavailable when Rasa is away, too slow, or answers nothing.
        """
        if again and (sayings := await self._find_turn(turn)):
            return sayings
        body = {"sender": str(turn.matter), "message": escape(turn.text), "metadata": turn.metadata}
        replies = await self._request("POST", "/webhooks/rest/webhook", json=body)
        sayings = [_read_reply(reply) for reply in replies if reply.get("text")]
        if not sayings:
            raise AssistantUnavailable("the assistant answered nothing")
        return sayings

    async def understand(self, text: str, at: datetime | None = None) -> dict[str, Any]:
        """Rasa's parse of a text, without touching any conversation. `at`: when it was said, for 明天 and the like."""
        moment = f"{MOMENT_MARK}{at.isoformat()}" if at else ""
        body = {"text": escape(text) + moment}
        parsed: dict[str, Any] = await self._request("POST", "/model/parse", json=body)
        return parsed

    async def is_ready(self) -> bool:
        """Whether a model is loaded and turns can be taken."""
        try:
            status = await self._request("GET", "/status")
        except AssistantUnavailable:
            return False
        return bool(status.get("model_file"))

    async def forget(self, matter: int) -> None:
        """Drop what Rasa keeps of a matter."""
        await self._request("PUT", f"/conversations/{matter}/tracker/events", json=[{"event": "restart"}])

    async def _find_turn(self, turn: Turn) -> list[Saying]:
        tracker = await self._request("GET", f"/conversations/{turn.matter}/tracker")
        return _replies_to(tracker.get("events", []), turn.message)

    async def _request(self, method: str, path: str, **options: Any) -> Any:
        if not self.url:
            raise AssistantUnavailable("the assistant is not started yet")
        params = {"token": self._token} if self._token else {}
        try:
            async with self._http.request(
                method, self.url + path, params=params, timeout=self._timeout, **options
            ) as response:
                if response.status != 200:
                    raise AssistantUnavailable(f"the assistant answered with HTTP {response.status}")
                return await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise AssistantUnavailable(f"the assistant cannot be reached ({type(error).__name__})") from None


def escape(text: str) -> str:
    """Text that Rasa reads as text: it takes a leading slash for a command."""
    text = text.strip()[:LONGEST_TEXT]
    return "／" + text[1:] if text.startswith("/") else text


def _read_reply(reply: dict[str, Any]) -> Saying:
    titles = [button.get("title", "") for button in reply.get("buttons") or []]
    return Saying(reply["text"], tuple(title for title in titles if title))


def _replies_to(events: list[dict[str, Any]], message: int) -> list[Saying]:
    """What the assistant said after the message of this id, up to the resident's next one."""
    sayings: list[Saying] = []
    found = False
    for event in events:
        if event.get("event") == "user":
            found = (event.get("metadata") or {}).get("message") == message
        elif found and event.get("event") == "bot" and event.get("text"):
            sayings.append(_read_reply({"text": event["text"], **(event.get("data") or {})}))
    return sayings
