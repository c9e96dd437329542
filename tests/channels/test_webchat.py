"""The web chat's addresses, to the letter of the interface."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from channels.base import Attempt, LocalNews, PermanentFailure
from channels.webchat import WebChat, WebChatLimits
from core.db import Database
from core.message import OutboundMessage
from tests.channels.contract import Contract, outbound, running_writer, stored
from tests.fakes.server import LoopbackServer

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


class Browser:
    """A resident's browser with one session."""

    def __init__(self, channel: WebChat, base: str, http: aiohttp.ClientSession) -> None:
        self.channel = channel
        self.base = base
        self.http = http
        self.recipient = ""
        self.token = ""

    async def open(self) -> None:
        async with self.http.post(self.base) as answer:
            assert answer.status == 201
            body = await answer.json()
        self.recipient, self.token = body["session"], body["token"]

    def address(self, path: str) -> str:
        return f"{self.base}/{self.recipient}/{path}"

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        options.setdefault("headers", self.auth)
        async with self.http.request(method, self.address(path), **options) as answer:
            return answer.status, await answer.json()

    async def deliver(self, text: str, number: int) -> int:
        return (await self.ask("POST", "messages", json={"id": f"m{number}", "text": text}))[0]

    async def forge(self, text: str) -> int:
        wrong = {"Authorization": "Bearer wrong"}
        return (await self.ask("POST", "messages", json={"id": "x", "text": text}, headers=wrong))[0]

    async def malformed(self) -> int:
        return (await self.ask("POST", "messages", data=b"{not json"))[0]

    async def oversized(self) -> int:
        return await self.deliver("长" * 10_001, 99)

    async def received(self) -> list[str]:
        _, body = await self.ask("GET", "messages")
        return [item["text"] for item in body["items"] if item["from"] != "resident"]

    def answer_with_error_body(self) -> bool:
        return False

    def never_answer(self) -> bool:
        return False


@pytest.fixture
def limits() -> WebChatLimits:
    return WebChatLimits()


@pytest.fixture
async def door(db: Database, tmp_path: Path, limits: WebChatLimits) -> AsyncIterator[Browser]:
    async with running_writer(db) as writer, aiohttp.ClientSession() as http:
        channel = WebChat(limits, writer, db, LocalNews(), tmp_path / "attachments")
        server = LoopbackServer(channel.routes())
        await server.start()
        browser = Browser(channel, f"{server.url}/channels/webchat/sessions", http)
        await browser.open()
        yield browser
        await channel.close()
        await server.close()


class TestContract(Contract):
    """The web chat keeps the contract."""


async def test_the_same_id_gives_200_and_the_same_seq(door: Browser):
    first = await door.ask("POST", "messages", json={"id": "a", "text": "你好"})
    second = await door.ask("POST", "messages", json={"id": "a", "text": "你好"})
    assert first == (202, {"id": "a", "seq": first[1]["seq"]})
    assert second == (200, first[1])


async def test_messages_are_listed_after_a_seq_in_order(door: Browser):
    await door.deliver("物业费怎么交", 1)
    message = outbound(door, "可以在窗口交。", choices=("查地址", "转人工"))
    await door.channel.send(message, Attempt(7, "webchat"))
    by_staff = OutboundMessage("webchat", "web", door.recipient, "我来帮您。", "staff")
    await door.channel.send(by_staff, Attempt(8, "webchat"))
    _, body = await door.ask("GET", "messages", params={"after": "0"})
    assert [(item["from"], item["text"]) for item in body["items"]] == [
        ("resident", "物业费怎么交"), ("assistant", "可以在窗口交。"), ("staff", "我来帮您。"),
    ]
    assert body["items"][1]["choices"] == ["查地址", "转人工"] and body["next"] is None
    assert set(body["items"][0]) == {"seq", "id", "from", "text", "at", "attachments", "choices"}
    _, rest = await door.ask("GET", "messages", params={"after": str(body["items"][1]["seq"])})
    assert [item["text"] for item in rest["items"]] == ["我来帮您。"]


async def test_a_row_sent_twice_is_shown_once(door: Browser):
    first = await door.channel.send(outbound(door, "一次"), Attempt(7, "webchat"))
    again = await door.channel.send(outbound(door, "一次"), Attempt(7, "webchat"))
    assert first == again and await door.received() == ["一次"]


async def test_a_session_that_is_gone_is_a_permanent_failure(door: Browser):
    message = OutboundMessage("webchat", "web", "nobody", "在吗", "assistant")
    with pytest.raises(PermanentFailure):
        await door.channel.send(message, Attempt(1, "webchat"))


async def read_events(door: Browser, count: int, **options: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(10), door.http.get(door.address("events"), **options) as answer:
        assert answer.status == 200 and answer.content_type == "text/event-stream"
        current: dict[str, Any] = {}
        async for line in answer.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name in ("id", "event", "data"):
                current[name] = value
            elif not name and current:
                events.append(current)
                current = {}
                if len(events) == count:
                    break
    return events


async def test_the_stream_brings_new_lines_and_goes_on_after_the_last_id(door: Browser):
    await door.deliver("第一", 1)
    reading = asyncio.create_task(read_events(door, 2, params={"token": door.token}))
    await asyncio.sleep(0.1)
    await door.channel.send(outbound(door, "第二"), Attempt(2, "webchat"))
    events = await reading
    assert [json.loads(event["data"])["text"] for event in events] == ["第一", "第二"]
    assert all(event["event"] == "message" for event in events)
    assert events[1]["id"] == str(json.loads(events[1]["data"])["seq"])
    rest = await read_events(door, 1, headers={**door.auth, "Last-Event-ID": events[0]["id"]})
    assert json.loads(rest[0]["data"])["text"] == "第二"


async def test_closing_the_channel_ends_its_streams(door: Browser):
    reading = asyncio.create_task(read_events(door, 1, headers=door.auth))
    await asyncio.sleep(0.1)
    await door.channel.close()
    with pytest.raises((aiohttp.ClientError, AssertionError)):
        assert await reading


async def test_another_session_s_token_opens_nothing(door: Browser):
    other = Browser(door.channel, door.base, door.http)
    await other.open()
    for method, path in (("GET", "messages"), ("POST", "messages"), ("GET", "events"), ("POST", "attachments")):
        status, _ = await door.ask(method, path, headers=other.auth)
        assert status in (401, 404), path
    other.recipient = "unknown"
    assert (await other.ask("GET", "messages"))[0] in (401, 404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"\xff\xfe", 400, id="not UTF-8"),
        pytest.param(b"[" * 100_000, 400, id="nested without end"),
        pytest.param(b"[]", 422, id="no object"),
        pytest.param(b'{"id": "a"}', 422, id="no text"),
        pytest.param(b'{"id": "a", "text": "  "}', 422, id="empty text"),
        pytest.param(b'{"text": "a"}', 422, id="no id"),
        pytest.param(b'{"id": {"a": 1}, "text": "a"}', 422, id="id is an object"),
        pytest.param(b'{"id": "' + b"a" * 101 + b'", "text": "a"}', 422, id="id is too long"),
        pytest.param(b"x" * 300_000, 413, id="body too large"),
    ],
)
async def test_wrong_bodies_are_refused(door: Browser, db: Database, body: bytes, status: int):
    assert (await door.ask("POST", "messages", data=body))[0] == status
    assert await stored(db) == []


async def test_odd_characters_are_kept(door: Browser, db: Database):
    assert await door.deliver("空\x00字😀\ud83d", 1) == 202
    assert (await stored(db))[0].text.startswith("空\ufffd字😀")


async def test_a_wrong_position_is_refused(door: Browser):
    assert (await door.ask("GET", "messages", params={"after": "later"}))[0] == 422


async def test_a_file_is_a_message_typed_by_its_content(door: Browser, db: Database):
    form = aiohttp.FormData()
    form.add_field("file", PNG, filename="../../照片.exe", content_type="application/x-msdownload")
    status, body = await door.ask("POST", "attachments", data=form)
    assert status == 202 and body["type"] == "image/png" and body["name"] == "照片.png"
    rows = await stored(db)
    assert rows[0].attachments[0]["type"] == "image/png"
    _, listed = await door.ask("GET", "messages")
    url = listed["items"][0]["attachments"][0]["url"]
    async with door.http.get(door.base.split("/channels")[0] + url, headers=door.auth) as answer:
        assert await answer.read() == PNG
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_the_same_file_again_is_no_second_message(door: Browser, db: Database):
    for expected in (202, 200):
        assert (await door.ask("POST", "attachments", params={"name": "a.png"}, data=PNG))[0] == expected
    assert len(await stored(db)) == 1


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(b"MZ" + b"\x00" * 200, 415, id="a program"),
        pytest.param(b"<script>alert(1)</script>", 415, id="a page"),
        pytest.param(b"", 422, id="nothing"),
        pytest.param(PNG + b"\x00" * (20 * 1024 * 1024), 413, id="too large"),
    ],
)
async def test_other_files_are_refused(door: Browser, db: Database, content: bytes, status: int):
    assert (await door.ask("POST", "attachments", data=content))[0] == status
    assert await stored(db) == []


class TestLimits:
    """Who asks too often is told when to come back."""

    @pytest.fixture
    def limits(self) -> WebChatLimits:
        return WebChatLimits(messages_per_minute=2, sessions_per_minute=2)

    async def test_too_many_messages_wait(self, door: Browser):
        assert [await door.deliver("在吗", number) for number in range(3)] == [202, 202, 429]

    async def test_too_many_sessions_wait(self, door: Browser):
        await door.open()
        async with door.http.post(door.base) as answer:
            assert answer.status == 429 and int(answer.headers["Retry-After"]) > 0


async def test_what_was_said_is_not_readable_in_the_database(door: Browser, db: Database):
    await door.deliver("电话13800001234", 1)
    async with db.reading() as session:
        connection = await session.connection()
        row = (await connection.exec_driver_sql("SELECT text FROM webchat_message")).one()
        token = (await connection.exec_driver_sql("SELECT token_digest FROM webchat_session")).one()
    assert b"13800001234" not in bytes(row[0]) and door.token not in token[0]


async def test_an_erased_session_keeps_no_text(door: Browser, db: Database):
    await door.deliver("请删除", 1)
    async with db.writing() as session:
        await door.channel.forget(session, door.recipient)
    assert (await door.ask("GET", "messages"))[1]["items"] == []
