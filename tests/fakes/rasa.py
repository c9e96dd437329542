"""A Rasa server on the loopback that understands nothing and echoes: REST webhook, tracker, status, parse.

It keeps its trackers in this process, so they outlive a service that is killed, as Rasa's own store does.
"""

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.server import LoopbackServer


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn that was really taken: `message` is the inbox row's id."""

    sender: str
    message: int
    text: str


@dataclass
class FakeRasa:
    """Records: `turns`, `trackers` (events by sender). Knobs: `token`, `slowest_s`."""

    token: str = "token-of-the-fake-rasa"
    slowest_s: float = 0.1
    """A turn takes a random part of this, half of it before the turn stands in the tracker."""
    turns: list[Turn] = field(default_factory=list)
    trackers: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._server = LoopbackServer(
            [
                web.post("/webhooks/rest/webhook", self._webhook),
                web.get("/conversations/{sender}/tracker", self._tracker),
                web.get("/status", self._status),
                web.post("/model/parse", self._parse),
            ]
        )

    @property
    def url(self) -> str:
        return self._server.url

    async def start(self) -> None:
        await self._server.start()

    async def close(self) -> None:
        await self._server.close()

    async def _webhook(self, request: web.Request) -> web.Response:
        """One turn. A client that is gone meanwhile does not undo it; one sender's turns follow one another."""
        self._check(request)
        body = await request.json()
        sender, text, metadata = body["sender"], body["message"], body["metadata"]
        async with self._locks[sender]:
            await self._think()
            self.turns.append(Turn(sender, metadata["message"], text))
            answer = f"已收到：{text}"
            self.trackers[sender] += [
                {"event": "user", "text": text, "metadata": metadata},
                {"event": "bot", "text": answer, "data": {"buttons": None}},
            ]
            await self._think()
        return web.json_response([{"recipient_id": sender, "text": answer}])

    async def _think(self) -> None:
        await asyncio.sleep(random.uniform(0, self.slowest_s / 2))

    async def _tracker(self, request: web.Request) -> web.Response:
        self._check(request)
        sender = request.match_info["sender"]
        return web.json_response({"sender_id": sender, "events": self.trackers.get(sender, [])})

    async def _status(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response({"model_file": "fake.tar.gz", "num_active_training_jobs": 0})

    async def _parse(self, request: web.Request) -> web.Response:
        self._check(request)
        body = await request.json()
        intent = {"name": "ask_guide", "confidence": 1.0}
        return web.json_response({"text": body["text"], "intent": intent, "intent_ranking": [intent], "entities": []})

    def _check(self, request: web.Request) -> None:
        if request.query.get("token") != self.token:
            raise web.HTTPUnauthorized
