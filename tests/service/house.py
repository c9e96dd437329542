"""The whole web application in one process, on a SQLite file, with a small assistant on loopback."""

import asyncio
import inspect
import shutil
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import func, select

from core import clock
from core import conversation as conversations
from core.conversation import Conversation, Matter
from core.db import Database, end_leftovers
from core.message import Address
from service.api.endpoint import RUNTIME
from service.runtime import Runtime
from service.settings import Settings
from service.web import build_app
from tests.conftest import KEYS

API = "/api/v1"
ASSISTANT = "assistant-token-of-the-tests"
PHONE_TOKEN = "token-of-the-phone"
WORKDAY = "2026-11-25T10:00:00+08:00"
"""A Wednesday morning: every office is open."""
EVENING = "2026-11-25T20:30:00+08:00"

TOKENS: dict[str, dict[str, Any]] = {
    "clerk": {"role": "clerk"},
    "clerk2": {"role": "clerk"},
    "officer": {"role": "officer"},
    "engineer": {"role": "officer", "department": "engineering"},
    "guard": {"role": "officer", "department": "security"},
    "supervisor": {"role": "supervisor"},
    "inspector": {"role": "inspector"},
    "inspector2": {"role": "inspector"},
    "editor": {"role": "editor"},
    "auditor": {"role": "auditor"},
    "administrator": {"role": "administrator"},
    "mail": {"role": "mail"},
    "both": {"role": ["officer", "supervisor"]},
}
NEEDS_APPROVAL = "fees-property"


class FakeRasa:
    """What the service asks of Rasa, on loopback. `turns` and `asked` keep what it was told; `reply` makes the answer (or a coroutine of it)."""

    def __init__(self) -> None:
        self.turns: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.is_away = False
        self.parsed: dict[str, Any] = {}
        self.read: Callable[[str], dict[str, Any]] = lambda _text: self.parsed
        self.reply: Callable[[dict[str, Any]], Any] = lambda turn: [{"text": "您好"}]

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/webhooks/rest/webhook", self._take)
        app.router.add_post("/model/parse", self._parse)
        app.router.add_get("/status", self._status)
        app.router.add_get("/conversations/{id}/tracker", self._tracker)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        if self.is_away:
            return web.Response(status=503)
        turn = await request.json()
        self.turns.append(turn)
        said = self.reply(turn)
        return web.json_response(await said if inspect.isawaitable(said) else said)

    async def _parse(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        return web.json_response(self.read(self.asked[-1]["text"])) if not self.is_away else web.Response(status=503)

    async def _status(self, _request: web.Request) -> web.Response:
        return web.json_response({"model_file": "fake.tar.gz"})

    async def _tracker(self, _request: web.Request) -> web.Response:
        return web.json_response({"events": []})


class House:
    """A running service, and short ways to call it as somebody."""

    def __init__(self, client: TestClient, runtime: Runtime, rasa: FakeRasa) -> None:
        self.client, self.runtime, self.rasa = client, runtime, rasa
        self.db: Database = runtime.db

    def move_clock(self, moment: str) -> None:
        clock.set_offset(datetime.fromisoformat(moment) - datetime.now(clock.ZONE))

    async def call(
        self, method: str, path: str, who: str | None = "clerk", body: Any = None, **headers: str
    ) -> ClientResponse:
        """One call of the API. `who` is a name of TOKENS; keywords are headers (`If_Match` for If-Match)."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent["Authorization"] = f"Bearer {ASSISTANT if who == 'assistant' else 'token-of-' + who}"
        options = {"data": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        return await self.client.request(method, API + path, headers=sent, **options)

    async def get(self, path: str, who: str | None = "clerk", status: int = 200, **headers: str) -> Any:
        response = await self.call("GET", path, who, **headers)
        assert response.status == status, await response.text()
        return await response.json()

    async def post(
        self, path: str, body: Any = None, who: str | None = "clerk", status: int = 200, **headers: str
    ) -> Any:
        response = await self.call("POST", path, who, {} if body is None else body, **headers)
        assert response.status == status, await response.text()
        return await response.json()

    async def register(self, who: str = "clerk", **fields: Any) -> dict[str, Any]:
        body = {
            "kind": "complaint", "category": NEEDS_APPROVAL, "description": "云溪花园收了两次停车费，要求退还",
            "resident": {"name": "林小雨", "phone": "13800550123"},
        } | fields
        return await self.post("/tickets", body, who, 201)

    async def do(self, number: str, verb: str, who: str = "clerk", status: int = 200, **body: Any) -> Any:
        return await self.post(f"/tickets/{number}/{verb}", body, who, status)

    async def work(self, number: str, department: str = "service", until: str = "approve") -> dict[str, Any]:
        """By the usual way to an approved reply."""
        steps: list[tuple[str, str, dict[str, Any]]] = [
            ("accept", "clerk", {}),
            ("assign", "clerk", {"department": department}),
            ("submit", "officer", {"findings": "upheld", "action_taken": "已核对账单",
                                   "reply": "多收的停车费已原路退回。"}),
            ("approve", "supervisor", {}),
        ]
        found: dict[str, Any] = {}
        for verb, who, body in steps:
            found = await self.do(number, verb, who, **body)
            if verb == until:
                break
        return found

    async def write_from(self, value: str, text: str = "你好") -> tuple[int, int, int]:
        """A resident of web chat says something: (conversation, matter, inbox row), once it was handled."""
        response = await self.client.post("/channels/webchat/sessions")
        session = await response.json()
        path = f"/channels/webchat/sessions/{session['session']}/messages"
        headers = {"Authorization": f"Bearer {session['token']}"}
        sent = await self.client.post(path, json={"id": value, "text": text}, headers=headers)
        assert sent.status == 202, await sent.text()

        async def handled() -> Any:
            items = (await self.get("/inbox?channel=webchat&status=done&limit=200"))["items"]
            return next((item for item in items if item["external_id"].endswith(value)), None)

        row = await self.until(handled)
        async with self.db.reading() as opened:
            matter = await opened.scalar(
                select(func.max(Matter.id)).where(Matter.conversation_id == row["conversation"])
            )
        return row["conversation"], matter, row["id"]

    async def open_conversation(self, value: str = "guest-1") -> tuple[int, int]:
        """A conversation in which nothing was said yet: (conversation, matter)."""
        async with self.db.writing() as session:
            now = clock.now()
            talk: Conversation = await conversations.find_or_open(session, Address("webchat", value), "web", now)
            matter = await conversations.current_matter(session, talk, now)
            return talk.id, matter.id

    async def until(self, found: Callable[[], Awaitable[Any]]) -> Any:
        """What `found` gives as soon as it gives something."""
        for _ in range(200):
            if value := await found():
                return value
            await asyncio.sleep(0.05)
        raise AssertionError("it did not come about")


async def open_house(folder: Path, template: Path, **changed: Any) -> tuple[House, Callable[[], Awaitable[None]]]:
    """Start everything; the second value ends it."""
    shutil.copy(template, folder / "huiyin.db")
    rasa = FakeRasa()
    rasa_server = TestServer(rasa.app())
    await rasa_server.start_server()
    tokens = {name: {"token": f"token-of-{name}", **rest} for name, rest in TOKENS.items()}
    settings = Settings.model_validate(
        {
            "data_dir": folder, "api": {"tokens": tokens}, "understanding": {"vectors": False},
            "assistant": {"url": str(rasa_server.make_url("/")), "timeout_s": 5},
        } | changed
    )
    db = Database(settings.resolved_database_url, KEYS)
    app = build_app(settings, db, ASSISTANT)
    client = TestClient(TestServer(app))
    await client.start_server()

    async def close() -> None:
        await client.close()
        await rasa_server.close()
        await db.close()
        await end_leftovers()
        clock.set_offset(timedelta())

    return House(client, app[RUNTIME], rasa), close
