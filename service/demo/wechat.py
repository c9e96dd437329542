"""A WeChat platform on the loopback that bites: it signs, encrypts, tries three times, and keeps its windows.

Its encryption is written from the platform's documentation, apart from the library that the service uses.
"""

import asyncio
import base64
import hashlib
import itertools
import json
import os
import re
import struct
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import BodyPartReader, web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from service.demo.loopback import LoopbackServer


@dataclass(frozen=True, slots=True)
class Try:
    """One request of the platform to the callback. `status` is None when no answer came in time."""

    status: int | None
    body: str
    seconds: float


@dataclass(slots=True)
class Window:
    """How often the account may still write to a follower, and until when."""

    left: int
    closes: float


@dataclass(slots=True)
class Keys:
    """What the account's owner entered on the platform's page."""

    app_id: str = "wx0123456789abcdef"
    secret: str = "secret-of-the-app-0001"
    token: str = "token-of-the-callback"
    aes_key: str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
    mode: str = "plain"


def signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def encrypt(keys: Keys, xml: str, app_id: str | None = None) -> str:
    key = base64.b64decode(keys.aes_key + "=")
    content = xml.encode()
    plain = os.urandom(16) + struct.pack(">I", len(content)) + content + (app_id or keys.app_id).encode()
    padding = 32 - len(plain) % 32
    plain += bytes([padding]) * padding
    writer = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(writer.update(plain) + writer.finalize()).decode()


def decrypt(keys: Keys, sealed: str) -> str:
    key = base64.b64decode(keys.aes_key + "=")
    reader = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = reader.update(base64.b64decode(sealed)) + reader.finalize()
    plain = plain[16 : -plain[-1]]
    length = struct.unpack(">I", plain[:4])[0]
    assert plain[4 + length :].decode() == keys.app_id, "the answer is for another app"
    return plain[4 : 4 + length].decode()


@dataclass
class FakeWeChat:
    """The platform. Records: `sent`, `notices`, `tries`, `token_calls`, `refused`. Knobs: the other fields.

    `scripted` answers the next calls of the send interfaces: a number is an errcode in a 200, `http:503`
    a status, `slow` never answers, `garbage` is no JSON, None lets the call through.
    """

    callback: str = ""
    keys: Keys = field(default_factory=Keys)
    second: float = 0.02
    """The length of one of the platform's seconds, so that its patience can be tested quickly."""
    stable: bool = True
    expires_in: int = 7200
    keeps_windows: bool = True
    scripted: deque[Any] = field(default_factory=deque)
    media: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.notices: list[dict[str, Any]] = []
        self.menus: list[dict[str, Any]] = []
        self.scenes: list[str] = []
        self.refused: list[int] = []
        self.tries: list[Try] = []
        self.token_calls: list[str] = []
        self.windows: dict[str, Window] = {}
        self.tokens: dict[str, float] = {}
        self._numbers = itertools.count(1)
        self._never = asyncio.Event()
        self._server = LoopbackServer(
            [
                web.post("/cgi-bin/stable_token", self._stable_token),
                web.get("/cgi-bin/token", self._token),
                web.post("/cgi-bin/message/custom/send", self._custom_send),
                web.post("/cgi-bin/message/custom/typing", self._typing),
                web.post("/cgi-bin/message/template/send", self._template_send),
                web.get("/cgi-bin/media/get", self._media_get),
                web.post("/cgi-bin/media/upload", self._media_upload),
                web.post("/cgi-bin/menu/create", self._menu_create),
                web.post("/cgi-bin/qrcode/create", self._qrcode_create),
            ]
        )

    @property
    def url(self) -> str:
        return self._server.url

    async def start(self) -> None:
        await self._server.start()

    async def close(self) -> None:
        self._never.set()
        await self._server.close()

    def forget_tokens(self) -> None:
        """Every token given so far is invalid from now on."""
        self.tokens.clear()

    # What followers do.

    async def says(self, openid: str, text: str, msg_id: int | None = None) -> str | None:
        """A follower writes; gives the passive reply he sees, or None."""
        content = text.replace("]]>", "]]]]><![CDATA[>")
        xml = self.message(openid, "text", f"<Content><![CDATA[{content}]]></Content>", msg_id)
        return await self.deliver(openid, xml)

    async def acts(self, openid: str, event: str, key: str = "", at: int | None = None) -> str | None:
        """A follower follows, clicks or scans."""
        xml = self.event(openid, event, key, at)
        return await self.deliver(openid, xml, Window(3, time.time() + 60))

    def message(self, openid: str, type_: str, fields: str, msg_id: int | None = None) -> str:
        number = msg_id if msg_id is not None else 6_000_000_000_000_000 + next(self._numbers)
        return (
            f"<xml><ToUserName><![CDATA[gh_office]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[{type_}]]></MsgType>"
            f"{fields}<MsgId>{number}</MsgId></xml>"
        )

    def event(self, openid: str, event: str, key: str = "", at: int | None = None) -> str:
        return (
            f"<xml><ToUserName><![CDATA[gh_office]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
            f"<CreateTime>{at or int(time.time())}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
            f"<Event><![CDATA[{event}]]></Event><EventKey><![CDATA[{key}]]></EventKey></xml>"
        )

    async def deliver(self, openid: str, xml: str, window: Window | None = None) -> str | None:
        """Up to three tries, five seconds apart, the very same request; the reply of the first answered one."""
        self.windows[openid] = window or Window(5, time.time() + 48 * 3600)
        query, body = self.wrap(xml)
        for _ in range(3):
            attempt = await self.post(query, body)
            if attempt.status == 200:
                return self.read_reply(attempt.body)
        return None

    def wrap(
        self, xml: str, *, timestamp: int | None = None, nonce: str | None = None, app_id: str | None = None
    ) -> tuple[dict[str, str], str]:
        """Query and body of a message as the account's mode demands."""
        stamp, once = str(timestamp or int(time.time())), nonce or f"n{next(self._numbers)}{os.urandom(4).hex()}"
        query = {"timestamp": stamp, "nonce": once, "signature": signature(self.keys.token, stamp, once)}
        if self.keys.mode == "plain":
            return query, xml
        sealed = encrypt(self.keys, xml, app_id)
        query |= {
            "encrypt_type": "aes",
            "msg_signature": signature(self.keys.token, stamp, once, sealed),
        }
        inner = xml.removeprefix("<xml>").removesuffix("</xml>") if self.keys.mode == "compatible" else ""
        return query, f"<xml>{inner}<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"

    async def post(self, query: Mapping[str, str], body: str | bytes) -> Try:
        """One try; the platform hangs up after five of its seconds."""
        begun = time.monotonic()
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5 * self.second + 0.02)) as http,
                http.post(self.callback, params=query, data=body, headers={"Content-Type": "text/xml"}) as answer,
            ):
                attempt = Try(answer.status, await answer.text(), time.monotonic() - begun)
        except (TimeoutError, aiohttp.ClientError):
            attempt = Try(None, "", time.monotonic() - begun)
        self.tries.append(attempt)
        return attempt

    def read_reply(self, body: str) -> str | None:
        """What the follower sees: nothing for `success`, else the text, once its envelope is proven."""
        if body in ("success", ""):
            return None
        if self.keys.mode != "plain":
            parts = {name: _element(body, name) for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")}
            right = signature(self.keys.token, parts["TimeStamp"], parts["Nonce"], parts["Encrypt"])
            assert right == parts["MsgSignature"], "the answer is not signed by the account"
            body = decrypt(self.keys, parts["Encrypt"])
        assert _element(body, "MsgType") == "text"
        return _element(body, "Content")

    # What the account calls.

    async def _stable_token(self, request: web.Request) -> web.Response:
        if not self.stable:
            return web.Response(status=404)
        body = await request.json()
        self.token_calls.append("stable_token" + (" force" if body.get("force_refresh") else ""))
        return self._give_token(body.get("appid"), body.get("secret"), force=bool(body.get("force_refresh")))

    async def _token(self, request: web.Request) -> web.Response:
        self.token_calls.append("token")
        return self._give_token(request.query.get("appid"), request.query.get("secret"), force=True)

    def _give_token(self, app_id: str | None, secret: str | None, *, force: bool) -> web.Response:
        if (app_id, secret) != (self.keys.app_id, self.keys.secret):
            return web.json_response({"errcode": 40125, "errmsg": "invalid appsecret"})
        live = [token for token, end in self.tokens.items() if end > time.time()]
        if force or not live:
            self.tokens.clear()
            live = [f"access-token-{next(self._numbers)}"]
            self.tokens[live[0]] = time.time() + self.expires_in
        return web.json_response({"access_token": live[0], "expires_in": self.expires_in})

    async def _obstacle(self, request: web.Request) -> web.StreamResponse | None:
        """The scripted trouble, then the token."""
        if self.scripted:
            trouble = self.scripted.popleft()
            if trouble == "slow":
                await self._never.wait()
            if trouble == "garbage":
                return web.Response(text="<html>busy</html>")
            if isinstance(trouble, str) and trouble.startswith("http:"):
                return web.Response(status=int(trouble[5:]))
            if isinstance(trouble, int):
                return self._refuse(trouble)
        if self.tokens.get(request.query.get("access_token", ""), 0) <= time.time():
            return self._refuse(40001)
        return None

    def _refuse(self, code: int) -> web.Response:
        self.refused.append(code)
        return web.json_response({"errcode": code, "errmsg": f"refused {code}"})

    async def _custom_send(self, request: web.Request) -> web.StreamResponse:
        obstacle = await self._obstacle(request)
        if obstacle is not None:
            return obstacle
        body = await self._read(request)
        kind = body["msgtype"]
        if kind == "text" and len(body["text"]["content"].encode()) > 2048:
            return self._refuse(45002)
        if kind != "text" and body[kind]["media_id"] not in self.media:
            return self._refuse(40007)
        window = self.windows.get(body["touser"])
        if self.keeps_windows:
            if window is None or window.closes < time.time():
                return self._refuse(45015)
            if window.left <= 0:
                return self._refuse(45047)
            window.left -= 1
        self.sent.append(body | {"at": time.time()})
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _template_send(self, request: web.Request) -> web.StreamResponse:
        obstacle = await self._obstacle(request)
        if obstacle is not None:
            return obstacle
        body = await self._read(request)
        if body["client_msg_id"] not in {notice["client_msg_id"] for notice in self.notices}:
            self.notices.append(body | {"at": time.time()})
        return web.json_response({"errcode": 0, "errmsg": "ok", "msgid": 200_000 + len(self.notices)})

    async def _typing(self, request: web.Request) -> web.StreamResponse:
        return await self._obstacle(request) or web.json_response({"errcode": 0})

    async def _media_get(self, request: web.Request) -> web.StreamResponse:
        obstacle = await self._obstacle(request)
        if obstacle is not None:
            return obstacle
        found = self.media.get(request.query.get("media_id", ""))
        if found is None:
            return self._refuse(40007)
        return web.Response(body=found[1], content_type=found[0])

    async def _media_upload(self, request: web.Request) -> web.StreamResponse:
        obstacle = await self._obstacle(request)
        if obstacle is not None:
            return obstacle
        part = await (await request.multipart()).next()
        assert isinstance(part, BodyPartReader)
        kind, content = request.query.get("type", ""), await part.read()
        if kind not in ("image", "voice", "video", "thumb"):
            return self._refuse(40004)
        media_id = f"media-{next(self._numbers)}"
        self.media[media_id] = (part.headers["Content-Type"], bytes(content))
        return web.json_response({"type": kind, "media_id": media_id, "created_at": int(time.time())})

    async def _menu_create(self, request: web.Request) -> web.StreamResponse:
        """As strict as the platform: three buttons, five lines each, known types, a key or an address."""
        obstacle = await self._obstacle(request)
        if obstacle is not None:
            return obstacle
        menu = await self._read(request)
        if not 1 <= len(menu.get("button", [])) <= 3:
            return self._refuse(40017)
        for button in menu["button"]:
            if len(button.get("sub_button", [])) > 5:
                return self._refuse(40023)
            for one in button.get("sub_button") or [button]:
                needed = {"click": "key", "view": "url"}.get(one.get("type", ""))
                if not needed or not one.get(needed) or len(one[needed].encode()) > 1024:
                    return self._refuse(40016)
                if needed == "key" and len(one["key"].encode()) > 128:
                    return self._refuse(40019)
        self.menus.append(menu)
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _qrcode_create(self, request: web.Request) -> web.StreamResponse:
        obstacle = await self._obstacle(request)
        if obstacle is not None:
            return obstacle
        body = await self._read(request)
        if body.get("action_name") != "QR_LIMIT_STR_SCENE":
            return self._refuse(40053)
        self.scenes.append(body["action_info"]["scene"]["scene_str"])
        number = next(self._numbers)
        return web.json_response({"ticket": f"ticket-{number}", "url": f"http://weixin.qq.com/q/{number}"})

    async def _read(self, request: web.Request) -> dict[str, Any]:
        """The body as the platform takes it: what JSON escapes it would show with its backslashes."""
        text = await request.text()
        assert "\\u" not in text, "Chinese must not be escaped"
        body: dict[str, Any] = json.loads(text)
        return body

    def texts(self, openid: str) -> list[str]:
        """What a follower got by customer-service messages."""
        mine = [body for body in self.sent if body["touser"] == openid]
        return [body["text"]["content"] for body in mine if body["msgtype"] == "text"]


def _element(xml: str, name: str) -> str:
    """The text of an element, CDATA sections joined as an XML parser would."""
    match = re.search(f"<{name}>(.*?)</{name}>", xml, re.DOTALL)
    assert match, f"no {name} in the answer"
    inner = match.group(1)
    sections = re.findall(r"<!\[CDATA\[(.*?)\]\]>", inner, re.DOTALL)
    return "".join(sections) if sections else inner
