"""A turn through the web chat and Rasa and back, against a bare REST turn on the same running Rasa."""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp

from benchmarks.running import Service, quantile

SAYINGS = ("你好", "谢谢", "早上好", "您好，在吗", "好的，多谢", "再见")
"""Turns without an action, so that both sides do the same: pipeline, policies, tracker store."""
TURNS = 40
RATE = 20
PACED_S = 5.0
PATIENCE_S = 15.0


class Visitor:
    """One web chat session with its open stream."""

    def __init__(self, service: Service) -> None:
        self._http, self._base = service.http, service.url + "/channels/webchat/sessions"
        self._heard = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        async with self._http.post(self._base, json={}) as answer:
            session = await answer.json()
        self._base += "/" + session["session"]
        self._headers = {"Authorization": "Bearer " + session["token"]}
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._http.get(self._base + "/events", headers=self._headers, timeout=timeout) as stream:
            async for line in stream.content:
                if line.startswith(b"data: ") and json.loads(line[6:])["from"] != "resident":
                    self._heard.set()

    async def say(self, text: str) -> float:
        """Seconds from the browser's request to the answer in its stream."""
        self._heard.clear()
        began = time.perf_counter()
        body = {"id": uuid.uuid4().hex, "text": text}
        async with self._http.post(self._base + "/messages", json=body, headers=self._headers) as answer:
            answer.raise_for_status()
        await asyncio.wait_for(self._heard.wait(), PATIENCE_S)
        return time.perf_counter() - began

    async def leave(self) -> None:
        if self._listening:
            self._listening.cancel()
            with suppress(asyncio.CancelledError, aiohttp.ClientError):
                await self._listening


async def compare(service: Service) -> dict[str, float]:
    """One turn at a time, ours and the bare one in turns, so that both see the same machine."""
    visitor = Visitor(service)
    await visitor.enter()
    bare = bare_turn(service)
    ours_s, bare_s = [], []
    for number in range(TURNS):
        text = SAYINGS[number % len(SAYINGS)]
        ours_s.append(await visitor.say(text))
        bare_s.append(await bare(text))
    await visitor.leave()
    return {"ours_p50": quantile(ours_s, 0.5), "bare_p50": quantile(bare_s, 0.5)}


def bare_turn(service: Service) -> Callable[[str], Awaitable[float]]:
    """Rasa's own REST channel with nothing of ours before or after it."""
    url, token = service.rasa()

    async def turn(text: str) -> float:
        began = time.perf_counter()
        body = {"sender": "benchmark", "message": text, "metadata": {"matter": 0, "message": 0}}
        async with service.http.post(url + "/webhooks/rest/webhook", params={"token": token}, json=body) as answer:
            answer.raise_for_status()
            await answer.read()
        return time.perf_counter() - began

    return turn


async def at_rate(service: Service, rate: float = RATE, seconds: float = PACED_S) -> dict[str, float]:
    """So many turns a second of as many residents, each sent at its moment; a turn without answer counts as late."""
    visitors = [Visitor(service) for _ in range(int(rate * 2))]
    await asyncio.gather(*(visitor.enter() for visitor in visitors))
    times: list[float] = []
    begin = time.monotonic()

    async def one(number: int) -> None:
        await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
        try:
            times.append(await visitors[number % len(visitors)].say(SAYINGS[number % len(SAYINGS)]))
        except TimeoutError:
            times.append(PATIENCE_S)

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    await asyncio.gather(*(visitor.leave() for visitor in visitors))
    return {"p50": quantile(times, 0.5), "p95": quantile(times, 0.95), "turns": len(times)}
