"""An SMS gateway on the loopback that refuses, stalls and breaks as told."""

import asyncio
from collections import deque
from typing import Any

from aiohttp import web

from tests.fakes.server import LoopbackServer


class FakeSmsGateway:
    """Records: `sent` (each id once). `scripted`: statuses, or `slow`, for the next requests."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.sent: dict[str, dict[str, Any]] = {}
        self.scripted: deque[int | str] = deque()
        self._never = asyncio.Event()
        self._server = LoopbackServer([web.post("/send", self._send)])

    @property
    def url(self) -> str:
        return f"{self._server.url}/send"

    async def start(self) -> None:
        await self._server.start()

    async def close(self) -> None:
        self._never.set()
        await self._server.close()

    async def _send(self, request: web.Request) -> web.Response:
        trouble = self.scripted.popleft() if self.scripted else 202
        if trouble == "slow":
            await self._never.wait()
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        if isinstance(trouble, int) and trouble >= 300:
            return web.Response(status=trouble)
        body = await request.json()
        self.sent.setdefault(body["id"], body)
        return web.Response(status=202)
