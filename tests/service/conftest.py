"""A house for each test: an empty one, or one with the shipped guides."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core import clock
from core.db import Database
from knowledge_base.library import load_shipped
from tests.conftest import KEYS, make_tables
from tests.fakes.wechat import FakeWeChat
from tests.service.house import PHONE_TOKEN, WORKDAY, House, open_house


async def _make(path: Path, with_guides: bool) -> None:
    url = f"sqlite+aiosqlite:///{path}"
    await make_tables(url)
    if with_guides:
        db = Database(url, KEYS)
        await load_shipped(db, ("property", "hall"), True, clock.now())
        await db.close()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "empty.db"
    asyncio.run(_make(path, False))
    return path


@pytest.fixture(scope="session")
def guided_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "guided.db"
    asyncio.run(_make(path, True))
    return path


@pytest.fixture
async def house(tmp_path: Path, empty_database: Path) -> AsyncIterator[House]:
    """An office at work on a Wednesday morning, nothing in its database."""
    opened, close = await open_house(tmp_path, empty_database)
    opened.move_clock(WORKDAY)
    yield opened
    await close()


@pytest.fixture
async def guided(tmp_path: Path, guided_database: Path) -> AsyncIterator[House]:
    """The same with the guides of property and hall."""
    opened, close = await open_house(tmp_path, guided_database)
    opened.move_clock(WORKDAY)
    yield opened
    await close()


@pytest.fixture
async def wechat() -> AsyncIterator[FakeWeChat]:
    """The platform."""
    platform = FakeWeChat(second=2)
    await platform.start()
    yield platform
    await platform.close()


@pytest.fixture
async def followed(tmp_path: Path, empty_database: Path, wechat: FakeWeChat) -> AsyncIterator[House]:
    """An office with one service account there."""
    keys = wechat.keys
    account = {"app_id": keys.app_id, "app_secret": keys.secret, "token": keys.token, "mode": "plain",
               "api_base": wechat.url, "notice_template": "template-1"}
    opened, close = await open_house(tmp_path, empty_database, wechat={"accounts": {"main": account}})
    opened.move_clock(WORKDAY)
    wechat.callback = str(opened.client.make_url("/channels/wechat/main"))
    yield opened
    await close()


@pytest.fixture
async def exchange(tmp_path: Path, empty_database: Path) -> AsyncIterator[House]:
    """An office with a telephone; its assistant is away, so that each call becomes a clerk's ticket."""
    opened, close = await open_house(tmp_path, empty_database, phone={"token": PHONE_TOKEN})
    opened.move_clock(WORKDAY)
    opened.rasa.is_away = True
    yield opened
    await close()
