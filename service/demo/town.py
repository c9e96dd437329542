"""Where the demo's residents live: a WeChat platform, a mail server, an SMS gateway and a call recorder, on loopback."""

import itertools
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any

import aiohttp
from aiohttp import web

from core import clock
from core.errors import Misconfigured
from service.demo.loopback import LoopbackServer
from service.demo.mailbox import TownMail
from service.demo.wechat import FakeWeChat, Keys
from service.settings import Settings

ACCOUNT = "demo"
OFFICE_MAIL = "office@demo.invalid"
RESIDENT_MAIL = "lin@town.invalid"
SCENE = "demo-lift-3"
"""The code on the demo's poster."""
FOLLOWER = "oDemoResident"
PHONE = "13800550123"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_demo(settings: Settings) -> bool:
    """While nothing of an office is configured, or on purpose. Misconfigured where residents could come in."""
    if settings.demo and (settings.web.public_url or settings.web.host not in LOOPBACK):
        raise Misconfigured("demo: the demo office is for this machine alone: not with a web.public_url or another host")
    if settings.demo is not None:
        return settings.demo
    in_use = (
        settings.web.public_url, settings.api.tokens, settings.wechat.accounts, settings.email.mailboxes,
        settings.phone.token.get_secret_value(), settings.phone.watch_dir, settings.sms.kind != "off",
        settings.database_url, settings.assistant.url, settings.clock_offset,
    )
    return settings.web.host in LOOPBACK and not any(in_use)


class Town:
    """The platforms, and what the player of a resident did and got. `base` is where the service listens."""

    def __init__(self) -> None:
        self.base = ""
        self.wechat = FakeWeChat(keys=_new_keys(), second=1.0)
        self.mail = TownMail()
        self.sms: list[dict[str, str]] = []
        self.calls: list[dict[str, str]] = []
        self.tokens = {name: secrets.token_urlsafe(24) for name in ("mail", "phone", "sms")}
        self._said: list[dict[str, Any]] = []
        self._gateway = LoopbackServer([web.post("/send", self._take_sms)])
        self._numbers = itertools.count(1)

    async def start(self) -> None:
        await self.wechat.start()
        await self.mail.start()
        await self._gateway.start()

    async def close(self) -> None:
        await self._gateway.close()
        await self.mail.close()
        await self.wechat.close()

    def settle(self, settings: Settings) -> Settings:
        """The office's settings with its accounts at the town's platforms."""
        keys = self.wechat.keys
        changed = settings.model_dump() | {
            "wechat": {"accounts": {ACCOUNT: {
                "app_id": keys.app_id, "app_secret": keys.secret, "token": keys.token, "aes_key": keys.aes_key,
                "mode": "safe", "api_base": self.wechat.url, "notice_template": "demo-notice",
            }}},
            "email": {"mailboxes": {ACCOUNT: {
                "address": OFFICE_MAIL, "token": self.tokens["mail"], "smtp_host": "127.0.0.1",
                "smtp_port": self.mail.port, "smtp_security": "none",
            }}},
            "phone": {"token": self.tokens["phone"]},
            "sms": {"kind": "http", "url": f"{self._gateway.url}/send", "token": self.tokens["sms"]},
        }
        return type(settings).model_validate(changed)

    # What the resident does. Everything goes over the wire, to the addresses a real platform would use.

    async def say_on_wechat(self, text: str) -> None:
        self._note("resident", text)
        self.wechat.callback = f"{self.base}/channels/wechat/{ACCOUNT}"
        self._note("office", await self.wechat.says(FOLLOWER, text))

    async def act_on_wechat(self, event: str, key: str, words: str) -> None:
        self._note("resident", words)
        self.wechat.callback = f"{self.base}/channels/wechat/{ACCOUNT}"
        self._note("office", await self.wechat.acts(FOLLOWER, event, key))

    async def show_on_wechat(self, content: bytes, mime: str) -> None:
        media_id = f"demo-{next(self._numbers)}"
        self.wechat.media[media_id] = (mime, content)
        self._note("resident", "[图片]")
        self.wechat.callback = f"{self.base}/channels/wechat/{ACCOUNT}"
        xml = self.wechat.message(FOLLOWER, "image", f"<MediaId><![CDATA[{media_id}]]></MediaId>")
        self._note("office", await self.wechat.deliver(FOLLOWER, xml))

    async def write_mail(self, subject: str, text: str) -> int:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"林小雨 <{RESIDENT_MAIL}>", OFFICE_MAIL, subject
        mail["Date"], mail["Message-ID"] = formatdate(localtime=True), make_msgid(domain="town.invalid")
        if self.mail.mails and subject.lower().startswith("re:"):
            mail["In-Reply-To"] = str(self.mail.mails[-1]["Message-ID"])
        mail.set_content(text)
        return await self._post(f"/channels/email/{ACCOUNT}", "mail", data=mail.as_bytes())

    async def call(self, caller: str, transcript: str) -> int:
        body = {
            "call_id": f"demo-{next(self._numbers)}-{int(time.time())}", "caller": caller, "format": "txt",
            "started_at": (clock.now() - timedelta(minutes=2)).isoformat(), "transcript": transcript,
        }
        self.calls.append({"caller": caller, "text": transcript})
        return await self._post("/channels/phone/calls", "phone", json=body)

    # What he got.

    def talk(self) -> list[dict[str, Any]]:
        """Both sides of the chat on his telephone, oldest first."""
        pushed = [
            {"from": "office", "text": body.get("text", {}).get("content", "[图片]"), "at": body["at"]}
            for body in self.wechat.sent if body["touser"] == FOLLOWER
        ]
        notices = [
            {"from": "notice", "text": "\n".join(str(item["value"]) for item in body["data"].values()),
             "link": body.get("url"), "at": body["at"]}
            for body in self.wechat.notices if body["touser"] == FOLLOWER
        ]
        return sorted([*self._said, *pushed, *notices], key=lambda line: line["at"])

    def letters(self) -> list[dict[str, str]]:
        return [
            {"to": str(mail["To"]), "subject": str(mail["Subject"]), "text": _plain(mail)}
            for mail in self.mail.mails
        ]

    def _note(self, who: str, text: str | None) -> None:
        if text:
            self._said.append({"from": who, "text": text, "at": time.time()})

    async def _post(self, path: str, token: str, **options: Any) -> int:
        headers = {"Authorization": f"Bearer {self.tokens[token]}"}
        async with aiohttp.ClientSession() as http, http.post(self.base + path, headers=headers, **options) as answer:
            return answer.status

    async def _take_sms(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.tokens['sms']}":
            return web.Response(status=401)
        body = await request.json()
        if body["id"] not in {item["id"] for item in self.sms}:
            self.sms.append(body)
        return web.Response(status=202)


def _new_keys() -> Keys:
    """Secrets of one run: nobody else on this machine can play the platform."""
    letters = secrets.token_hex(22)[:43]
    return Keys(
        app_id=f"wx{secrets.token_hex(8)}", secret=secrets.token_hex(16), token=secrets.token_hex(16),
        aes_key=letters, mode="safe",
    )


def _plain(mail: EmailMessage) -> str:
    part = mail.get_body(("plain", "html"))
    return str(part.get_content()) if part is not None else ""


@asynccontextmanager
async def open_town(settings: Settings) -> AsyncIterator[tuple[Settings, Town | None]]:
    """The settings to serve with, and the town when this is the demo; its platforms end with the service."""
    if not is_demo(settings):
        yield settings, None
        return
    town = Town()
    await town.start()
    try:
        yield town.settle(settings), town
    finally:
        await town.close()
