"""Warnings through the running service: the worker tells, the outbox shows it, a webhook hears it."""

import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiohttp import web

from core import clock
from service import sign_in
from tests.fakes.server import LoopbackServer
from tests.fakes.smtp import FakeMailServer
from tests.service.house import WORKDAY, open_house
from tests.service.test_pages import enter, link_for


@dataclass
class FakeChat:
    """A work chat's webhook: `said` keeps what was posted; `answer` is (status, body)."""

    said: list[dict[str, Any]] = field(default_factory=list)
    answer: tuple[int, dict[str, Any]] = (200, {"errcode": 0})

    def __post_init__(self):
        self.server = LoopbackServer([web.post("/hook/secret-key", self._take)])

    async def _take(self, request):
        self.said.append(await request.json())
        return web.json_response(self.answer[1], status=self.answer[0])


@pytest.fixture
async def chat():
    fake = FakeChat()
    await fake.server.start()
    yield fake
    await fake.server.close()


@pytest.fixture
async def house(tmp_path, empty_database, chat):
    url = f"{chat.server.url}/hook/secret-key"
    notify = [{"kind": "webhook", "url": url, "for": ["supervisor"]}]
    opened, close = await open_house(tmp_path, empty_database, staff={"notify": notify})
    opened.move_clock(WORKDAY)
    yield opened
    await close()


async def rows_to_staff(house, status="done"):
    items = (await house.get(f"/outbox?limit=200&status={status}"))["items"]
    return [item for item in items if item["recipient"].startswith("staff:")]


async def test_a_broken_limit_is_told_on_the_console_and_by_webhook_and_the_clock_says_so(house, chat):
    number = (await house.register())["number"]
    house.move_clock("2026-11-26T17:30:30+08:00")  # Accepting is due at the close of the next working day.

    async def told():
        items = (await house.get(f"/tickets/{number}/clocks"))["items"]
        return next((item["told"] for item in items if item["name"] == "accept" and item["told"]), None)

    entries = await house.until(told)
    assert {entry["whom"] for entry in entries} >= {"supervisor", "both"}
    assert {entry["share"] for entry in entries} == {1.0}
    assert {entry["by"] for entry in entries} == {"console", "webhook"}
    assert all(entry["at"].startswith("2026-11-26T17:3") for entry in entries), "not a minute late"

    async def posted():
        return chat.said

    said = (await house.until(posted))[0]
    assert number in said["text"]["content"] and said["msgtype"] == "text"
    assert "13800550123" not in str(said) and "林小雨" not in str(said)

    async def sent():
        found = await rows_to_staff(house)
        return found if any(row["channel"] == "webhook" for row in found) else None

    rows = await house.until(sent)
    assert {row["recipient"] for row in rows} >= {"staff:supervisor", "staff:webhook-1"}
    assert all(row["origin"] == "staff" and row["result"] == "sent" for row in rows)
    assert "secret-key" not in str(rows)
    # The resident hears nothing of it by itself, and is owed a word.
    clocks = (await house.get(f"/tickets/{number}"))["clocks"]
    assert any(item["name"] == "progress" and item["stopped_at"] is None for item in clocks)


@pytest.mark.parametrize("answer", [(400, {}), (200, {"errcode": 93000})], ids=["refused", "200 with an error body"])
async def test_a_webhook_that_says_no_fails_its_row_and_nobody_else(house, chat, answer):
    chat.answer = answer
    number = (await house.register())["number"]
    house.move_clock("2026-11-26T17:30:30+08:00")

    async def failed():
        return [row for row in await rows_to_staff(house) if row["channel"] == "webhook"]

    row = (await house.until(failed))[0]
    assert row["result"] == "failed" and "refuses" in row["last_error"]
    assert len(chat.said) == 1
    rows = (await house.get(f"/outbox?ticket={number}&limit=200"))["items"]
    assert not [row for row in rows if row["channel"] not in ("console", "webhook") and row["origin"] == "staff"]
    assert (await house.get("/call-backs"))["items"] == []


async def test_the_console_shows_reminders_until_they_are_read(house):
    number = (await house.register())["number"]
    await link_for(house, "su", "supervisor")
    house.move_clock("2026-11-26T17:25:00+08:00")
    async with house.db.writing() as session:
        link = await sign_in.make_link(session, "su", clock.now())
    await enter(house, link)
    house.move_clock("2026-11-26T17:30:30+08:00")

    async def shown():
        page = await (await house.client.get("/staff/notices")).text()
        return page if page.count(number) > 2 else None  # First reply and acceptance: a link and a number each.

    page = await house.until(shown)
    assert "超时" in page and '<span class="tag warn">2</span>' in page
    token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
    last = re.search(r'name="last" value="(\d+)"', page)[1]
    for wrong in ("x", "9" * 30):
        await house.client.post("/staff/notices/read", data={"form_token": token, "last": wrong})
    page = await (await house.client.post("/staff/notices/read", data={"form_token": token, "last": last})).text()
    assert number in page and "全部标为已读" not in page and '<span class="tag warn">' not in page
    mine = (await house.get("/staff_notices", "supervisor"))["items"]
    assert mine[0]["ticket"] == number and mine[0]["share"] == 1.0 and mine[0]["read_at"] is None
    assert (await house.get("/staff_notices", "guard"))["items"] == []
    await house.get("/staff_notices", "editor", 403)


async def test_a_warning_goes_by_mail_to_whom_the_office_set(tmp_path, empty_database):
    server = FakeMailServer()
    await server.start()
    box = {"address": "office@office.example", "token": "t", "smtp_host": "127.0.0.1", "smtp_port": server.port,
           "smtp_security": "none"}
    notify = [{"kind": "mail", "to": "duty@office.example", "for": "supervisor"}]
    house, close = await open_house(
        tmp_path, empty_database, email={"mailboxes": {"office": box}}, staff={"notify": notify})
    house.move_clock(WORKDAY)
    try:
        number = (await house.register())["number"]
        house.move_clock("2026-11-26T17:30:30+08:00")

        async def arrived():
            return server.mails

        mail = message_from_bytes((await house.until(arrived))[0], policy=policy.default)
        assert server.recipients == ["duty@office.example"] and "待办提醒" in mail["Subject"]
        assert number in mail.get_body().get_content()
    finally:
        await close()
        await server.close()
