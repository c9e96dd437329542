"""SMS, out only: the whole text where it fits, else a notice with the link, through the office's own gateway."""

import hmac
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal, Self

import aiohttp
from aiohttp import web
from pydantic import Field, SecretStr, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import Attempt, Capabilities, PermanentFailure, Sent, TemporaryFailure
from channels.http import TooLarge, bearer, problem, read_body, refuse
from channels.phone_call import normal_number
from core import log
from core.config import Section
from core.message import OutboundMessage

TIMEOUT = aiohttp.ClientTimeout(total=15)
MAX_REPORT = 64 * 1024

_log = log.logger(__name__)

OnReport = Callable[[int, Literal["delivered", "failed"], str | None], Awaitable[bool]]
"""Told the outbox id, the state and the gateway's words; False when that row is not known."""


class SmsSettings(Section):
    """`sms.*`: any gateway that takes `POST url` with `{"id","to","text"}`."""

    kind: Literal["off", "http"] = "off"
    url: str = ""
    token: SecretStr = SecretStr("")
    max_chars: int = Field(500, ge=20)

    @model_validator(mode="after")
    def _has_an_address(self) -> Self:
        if self.kind == "http" and not self.url.startswith(("http://", "https://")):
            raise ValueError("kind http needs url, such as https://sms.example/send")
        return self


class Sms:
    """The office's gateway; `account` is always `main`."""

    name = "sms"
    account = "main"

    def __init__(self, settings: SmsSettings, http: aiohttp.ClientSession, on_report: OnReport) -> None:
        """`on_report` changes the delivery state; `http` is shared and closed by its owner."""
        self.capabilities = Capabilities(
            max_chars=settings.max_chars,
            media=(),
            window=None,
            carries=("sms",) if settings.kind == "http" else (),
            announces=("sms",) if settings.kind == "http" else (),
            pushes=True,
            idempotent_send=True,
            proof="the gateway accepted it, and reported no failure; a link: it was opened",
        )
        self._settings = settings
        self._http = http
        self._on_report = on_report

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.post("/channels/sms/reports", self._take_report)] if self._settings.kind == "http" else []

    def secrets(self) -> list[str]:
        secret = self._settings.token.get_secret_value()
        return [secret] if secret else []

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def close(self) -> None:
        """Nothing is open."""

    async def forget(self, session: AsyncSession, value: str) -> None:
        """Nothing is kept here."""

    async def send(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        """One SMS under the row's id, so that the gateway knows a retry. `announced` when only the link fits."""
        if self._settings.kind == "off":
            raise PermanentFailure("sms.kind is off")
        to = normal_number(message.recipient)
        if not to.startswith("+"):
            raise PermanentFailure("the recipient is no phone number")
        text, whole = self._fit(message)
        await self._post({"id": str(attempt.outbox_id), "to": to, "text": text})
        return Sent(str(attempt.outbox_id), announced=not whole)

    def _fit(self, message: OutboundMessage) -> tuple[str, bool]:
        """The text, or its beginning and the link; and whether it is the whole text."""
        limit = self._settings.max_chars
        if len(message.text) <= limit:
            return message.text, True
        if not message.link or len(message.link) + 10 > limit:
            raise PermanentFailure("the text is longer than sms.max_chars, and there is no link to it")
        return f"{message.text[: limit - len(message.link) - 2]}… {message.link}", False

    async def _post(self, body: dict[str, str]) -> None:
        headers = {"Authorization": f"Bearer {self._settings.token.get_secret_value()}"}
        try:
            async with self._http.post(
                self._settings.url, json=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            ) as answer:
                status = answer.status
        except TimeoutError:
            raise TemporaryFailure("the SMS gateway did not answer in time") from None
        except aiohttp.ClientError as error:
            raise TemporaryFailure(f"the SMS gateway cannot be reached ({type(error).__name__})") from None
        if 400 <= status < 500:
            raise PermanentFailure(f"the SMS gateway refused with HTTP {status}")
        if not 200 <= status < 300:
            raise TemporaryFailure(f"the SMS gateway answered HTTP {status}")

    async def _take_report(self, request: web.Request) -> web.StreamResponse:
        """`{"id","status","detail"?}`: what became of an SMS."""
        right, given = self._settings.token.get_secret_value(), bearer(request)
        if not right or not hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")):
            return refuse(self.name, self.account, 401, "token", "Send sms.token as a Bearer token.")
        try:
            outbox_id, status, detail = _read_report(await read_body(request, MAX_REPORT))
        except TooLarge:
            return refuse(self.name, self.account, 413, "too_large", "A report has at most 64 KB.")
        except ValueError as error:
            return refuse(self.name, self.account, 422, "wrong_field", str(error))
        try:
            known = await self._on_report(outbox_id, status, detail)
        except Exception as error:  # whatever keeps it from the disk: the gateway must try again
            _log.error("not_stored", channel=self.name, error=type(error).__name__)
            return problem(500, "not stored", "The report could not be stored: send it again.")
        if not known:
            return refuse(self.name, self.account, 404, "unknown_id", "No SMS was sent under this id.")
        return web.json_response({"id": str(outbox_id), "status": status})


def _read_report(raw: bytes) -> tuple[int, Literal["delivered", "failed"], str | None]:
    """ValueError says which field is wrong."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise ValueError("Send JSON.") from None
    if not isinstance(body, dict):
        raise ValueError("Send an object.")
    name, status, detail = str(body.get("id", "")), body.get("status"), body.get("detail")
    if not (name.isascii() and name.isdigit() and len(name) < 19):
        raise ValueError("id: the id the SMS was sent under.")
    if status not in ("delivered", "failed"):
        raise ValueError("status: delivered or failed.")
    return int(name), status, None if detail is None else str(detail)[:200]
