"""The doors through which real messages are fed: each plays the platform, in and out."""

import email
import email.policy
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Protocol

import aiohttp

from benchmarks.running import Service, wechat_environ

TRIES = 3


@dataclass
class Sent:
    """One row as one message, and what came back within the platform's request."""

    sender: str
    text: str
    acknowledged: bool = False
    replies: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Door(Protocol):
    """A platform on loopback. `channel` is its name in the inbox."""

    channel: str

    async def start(self) -> Mapping[str, str]:
        """Begin; gives the settings with which the service knows it."""

    def connect(self, service: Service) -> None:
        """Where the service listens."""

    async def send(self, sent: Sent) -> None:
        """Bring one message, as often as the platform tries."""

    def replies(self) -> Mapping[str, list[str]]:
        """What was sent to whom outside the platform's own requests."""

    async def close(self) -> None:
        """End."""


class WeChatDoor:
    """Each sender is a follower of his own."""

    channel = "wechat"

    def __init__(self) -> None:
        from tests.fakes.wechat import FakeWeChat, Keys

        self.platform = FakeWeChat(keys=Keys(mode="safe"), second=1.0)

    async def start(self) -> Mapping[str, str]:
        await self.platform.start()
        keys = self.platform.keys
        return wechat_environ(keys.app_id, keys.secret, keys.token, keys.aes_key, keys.mode, self.platform.url)

    def connect(self, service: Service) -> None:
        self.platform.callback = f"{service.url}/channels/wechat/main"

    async def send(self, sent: Sent) -> None:
        from tests.fakes.wechat import Window

        platform = self.platform
        content = sent.text.replace("]]>", "]]]]><![CDATA[>")
        query, body = platform.wrap(platform.message(sent.sender, "text", f"<Content><![CDATA[{content}]]></Content>"))
        platform.windows[sent.sender] = Window(5, time.time() + 48 * 3600)
        for _ in range(TRIES):
            attempt = await platform.post(query, body)
            sent.seconds = max(sent.seconds, attempt.seconds)
            if attempt.status == 200:
                sent.acknowledged = True
                reply = platform.read_reply(attempt.body)
                sent.replies += [reply] if reply else []
                return

    def replies(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for body in self.platform.sent:
            found[body["touser"]].append(body["text"]["content"])
        return found

    async def close(self) -> None:
        with suppress(Exception):
            await self.platform.close()


class MailDoor:
    """Each sender has an address of his own; the first line is the subject, as people write mails."""

    channel = "email"
    ADDRESS, TOKEN = "office@office.example", "token-of-the-benchmark"

    def __init__(self) -> None:
        from tests.fakes.smtp import FakeMailServer

        self.server = FakeMailServer()
        self._url = ""
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> Mapping[str, str]:
        await self.server.start()
        values = {"address": self.ADDRESS, "token": self.TOKEN, "smtp_host": "127.0.0.1",
                  "smtp_port": str(self.server.port), "smtp_security": "none"}
        return {f"HUIYIN__EMAIL__MAILBOXES__MAIN__{name.upper()}": value for name, value in values.items()}

    def connect(self, service: Service) -> None:
        self._url, self._http = f"{service.url}/channels/email/main", service.http

    async def send(self, sent: Sent) -> None:
        mail = EmailMessage(policy=email.policy.SMTP)
        mail["From"], mail["To"], mail["Message-ID"] = sent.sender, self.ADDRESS, f"<1.{sent.sender}>"
        mail["Subject"] = " ".join(sent.text.partition("\n")[0].split())[:60]
        mail.set_content(sent.text, charset="utf-8", cte="base64")
        headers = {"Authorization": f"Bearer {self.TOKEN}"}
        assert self._http
        for _ in range(TRIES):
            began = time.monotonic()
            with suppress(aiohttp.ClientError, TimeoutError):
                async with self._http.post(self._url, data=bytes(mail), headers=headers) as answer:
                    sent.acknowledged = answer.status in (200, 202)
            sent.seconds = max(sent.seconds, time.monotonic() - began)
            if sent.acknowledged:
                return

    def replies(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for raw in self.server.mails:
            mail: Any = email.message_from_bytes(raw, policy=email.policy.default)
            found[mail["To"].addresses[0].addr_spec].append(mail.get_body(("plain",)).get_content())
        return found

    async def close(self) -> None:
        await self.server.close()


DOORS: dict[str, type[WeChatDoor] | type[MailDoor]] = {"wechat": WeChatDoor, "email": MailDoor}
"""By the name of the option `--door`."""
