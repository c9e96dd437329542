"""The demo: for this machine alone, with a ticket in every state, and doors that speak the real protocols."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from core import clock
from core.db import Database, end_leftovers
from core.errors import Misconfigured
from service.api.endpoint import RUNTIME
from service.demo import is_demo, office, open_town, pages
from service.demo.office import PEOPLE
from service.settings import Settings
from service.web import build_app
from tests.conftest import KEYS
from tests.service.house import FakeRasa
from ticketing.lifecycle import State
from ticketing.model import Ticket

OF_AN_OFFICE: list[dict[str, Any]] = [
    {"web": {"public_url": "https://office.example"}},
    {"web": {"host": "0.0.0.0"}},
    {"api": {"tokens": {"a": {"token": "t", "role": "clerk"}}}},
    {"phone": {"token": "t"}},
    {"sms": {"kind": "http", "url": "http://127.0.0.1:1/"}},
    {"email": {"mailboxes": {"a": {"address": "a@b.example"}}}},
    {"wechat": {"accounts": {"a": {"app_id": "wx", "token": "t", "mode": "plain"}}}},
    {"demo": False},
]


def test_nothing_configured_is_the_demo():
    assert is_demo(Settings())


@pytest.mark.parametrize("configured", OF_AN_OFFICE, ids=lambda item: next(iter(item)))
def test_whoever_configured_anything_gets_no_demo(configured: dict[str, Any]):
    assert not is_demo(Settings.model_validate(configured))


@pytest.mark.parametrize("web", [{"public_url": "https://office.example"}, {"host": "0.0.0.0"}])
def test_the_demo_is_refused_where_residents_could_come_in(web: dict[str, Any]):
    with pytest.raises(Misconfigured, match="demo"):
        is_demo(Settings.model_validate({"demo": True, "web": web}))


class Player:
    """Somebody at /demo."""

    def __init__(self, client: TestClient, rasa: FakeRasa) -> None:
        self.client, self.rasa = client, rasa

    async def act(self, deed: str, status: int = 200, **form: str) -> None:
        response = await self.client.post(f"/demo/{deed}", data=form)
        assert response.status == status, await response.text()

    async def sees(self, part: str, words: str) -> Any:
        """What of `talk`, `letters` or `sms` holds these words, as soon as there is one."""
        for _ in range(200):
            state = await (await self.client.get("/demo/state")).json()
            for item in state[part]:
                if words in str(item):
                    return item
            await asyncio.sleep(0.05)
        raise AssertionError(f"{words} did not come")


@pytest.fixture
async def demo(tmp_path: Path, empty_database: Path) -> AsyncIterator[Player]:
    shutil.copy(empty_database, tmp_path / "huiyin.db")
    rasa = FakeRasa()
    rasa_server = TestServer(rasa.app())
    await rasa_server.start_server()
    plain = {"data_dir": tmp_path, "demo": True, "understanding": {"vectors": False},
             "assistant": {"url": str(rasa_server.make_url("/")), "timeout_s": 5}}
    async with open_town(Settings.model_validate(plain)) as (settings, town):
        assert town is not None
        db = Database(settings.resolved_database_url, KEYS)
        app = build_app(settings, db, "assistant-token")
        app.add_routes(pages.routes(town))
        client = TestClient(TestServer(app))
        await client.start_server()
        town.base = str(client.make_url("")).rstrip("/")
        await office.furnish(app[RUNTIME])
        yield Player(client, rasa)
        await client.close()
        await db.close()
    await rasa_server.close()
    await end_leftovers()


async def states(demo: Player) -> dict[str, int]:
    runtime = demo.client.server.app[RUNTIME]
    found: dict[str, int] = {}
    async with runtime.db.reading() as session:
        for state in await session.scalars(select(Ticket.state)):
            found[state] = found.get(state, 0) + 1
    return found


async def test_there_is_a_ticket_in_every_state_and_once(demo: Player):
    before = await states(demo)
    assert set(before) == {str(state) for state in State}
    await office.furnish(demo.client.server.app[RUNTIME])
    assert await states(demo) == before


async def test_each_of_the_people_may_be_played_at_the_console(demo: Player):
    for name in PEOPLE:
        response = await demo.client.post("/demo/enter", data={"name": name}, allow_redirects=False)
        cookie = {"huiyin_session": response.cookies["huiyin_session"].value}
        page = await demo.client.get("/staff/", cookies=cookie)
        assert name in await page.text()
    assert (await demo.client.post("/demo/enter", data={"name": "admin"})).status == 404


async def test_what_is_said_on_wechat_is_answered_there(demo: Player):
    await demo.act("wechat", text="你好")
    assert (await demo.sees("talk", "您好"))["from"] == "office"
    await demo.act("wechat-event", event="scan")
    await demo.sees("talk", "3号电梯")
    assert demo.rasa.turns[-1]["metadata"]["place"] == "3号电梯"
    await demo.act("wechat-event", event="nothing", status=422)
    await demo.act("wechat", text=" ", status=422)


async def test_a_mail_is_answered_by_mail_and_a_call_becomes_a_row(demo: Player):
    await demo.act("mail", subject="车库漏水\r\nBcc: x@y", text="B区一直漏水")
    assert "B区" in str(demo.rasa.turns[-1:]) or await demo.sees("letters", "Re:")
    await demo.act("call", caller="13800550123", text="话务员：您好\n来电人：停水了")
    runtime = demo.client.server.app[RUNTIME]

    async with runtime.db.reading() as session:
        from core.queues import Inbox

        rows = (await session.scalars(select(Inbox.channel))).all()
    assert sorted(rows) == ["email", "phone"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"X-Forwarded-For": "203.0.113.9"}, 404, id="through a proxy"),
        pytest.param({"Host": "office.example"}, 404, id="under another name"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="from somebody else's page"),
    ],
)
async def test_nobody_but_this_machine_plays(demo: Player, headers: dict[str, str], status: int):
    response = await demo.client.post("/demo/wechat", data={"text": "a"}, headers=headers)
    assert response.status == status
    if "Origin" not in headers:
        for path in ("/demo", "/demo/state"):
            assert (await demo.client.get(path, headers=headers)).status == 404


async def test_the_page_loads_nothing_from_elsewhere_and_says_that_it_is_a_demo(demo: Player):
    response = await demo.client.get("/demo")
    page = await response.text()
    assert "演示" in page and "虚构" in page and "http" not in page.replace("http-equiv", "")
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert clock.now()
