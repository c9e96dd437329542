"""Intake through the WeChat callback against a bare handler that stores the same rows: messages a second, acknowledged.

Three processes: the server to be measured, its opponent, and this one, which makes the load with 32 clients.
`python -m benchmarks.intake` measures; with `bare` or `ours` it is one of the servers.
"""

import asyncio
import hashlib
import itertools
import json
import os
import sqlite3
import sys
import tempfile
import time
import xml.etree.ElementTree as Xml
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp import web

from benchmarks.running import Service, free_port, histogram_quantile, quantile, start_process, wechat_environ

TOKEN = "token-of-the-benchmark"
CLIENTS = 32
SECONDS = 5.0
WARM_S = 1.5
PATH = "/channels/wechat/main"
COMMIT = "huiyin_inbox_commit_seconds_bucket"
_numbers = itertools.count(1)


def environ() -> dict[str, str]:
    """One WeChat account in plain mode; nothing is ever sent, so its platform is nowhere."""
    return wechat_environ("wx0123456789abcdef", "secret-of-the-benchmark", TOKEN, "", "plain", "http://127.0.0.1:9")


def make_request(host: str, event: bool = False) -> bytes:
    """A new message of a new follower, as HTTP bytes ready to be written."""
    number, stamp = next(_numbers), str(int(time.time()))
    nonce = f"n{number}x{os.getpid()}"
    signature = hashlib.sha1("".join(sorted((TOKEN, stamp, nonce))).encode()).hexdigest()
    said = f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[楼下路灯坏了{number}次，请派人来看]]></Content>"
    if event:
        said = "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[VIEW]]></Event><EventKey><![CDATA[a]]></EventKey>"
    body = (f"<xml><ToUserName><![CDATA[gh_office]]></ToUserName><FromUserName><![CDATA[o{number}p{os.getpid()}]]>"
            f"</FromUserName><CreateTime>{stamp}</CreateTime>{said}<MsgId>{number}</MsgId></xml>").encode()
    query = urlencode({"timestamp": stamp, "nonce": nonce, "signature": signature})
    head = (f"POST {PATH}?{query} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/xml\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    return head.encode() + body


class Client:
    """One connection, kept open; so little work of its own that it measures the server."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, event: bool = False) -> int:
        """Send one new message; the status of the answer."""
        if self._streams is None:
            host, _, port = self._host.partition(":")
            self._streams = await asyncio.open_connection(host, int(port))
        reader, writer = self._streams
        writer.write(make_request(self._host, event))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()


async def load(url: str, seconds: float = SECONDS, warm_s: float = WARM_S) -> dict[str, float]:
    """As fast as 32 clients can; answers counted after the warm-up."""
    clients = [Client(url) for _ in range(CLIENTS)]
    begin = time.monotonic() + warm_s
    times: list[float] = []

    async def go(client: Client) -> None:
        while (began := time.monotonic()) < begin + seconds:
            status = await client.post()
            if status != 200:
                raise SystemExit(f"intake: the server answered {status}")
            if began >= begin:
                times.append(time.monotonic() - began)

    await asyncio.gather(*(go(client) for client in clients))
    took = time.monotonic() - begin
    for client in clients:
        client.close()
    return {"rate": len(times) / took, "p99": quantile(times, 0.99)}


async def load_paced(url: str, rate: float, seconds: float) -> dict[str, float]:
    """So many messages a second, each sent at its moment whether or not the earlier ones are answered."""
    idle: list[Client] = []
    times: list[float] = []

    async def one() -> None:
        client = idle.pop() if idle else Client(url)
        began = time.monotonic()
        await client.post()
        times.append(time.monotonic() - began)
        idle.append(client)

    begin = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
            group.create_task(one())
    for client in idle:
        client.close()
    return {"sent": len(times), "p99": quantile(times, 0.99), "slowest": max(times)}


async def commit_p99(service: Service, rate: float = 200, seconds: float = 6) -> dict[str, float]:
    """What the service itself says about its commits while so many messages a second come."""
    before = await service.metric(COMMIT)
    found = await load_paced(service.url, rate, seconds)
    after = await service.metric(COMMIT)
    buckets = {edge: count - before.get(edge, 0.0) for edge, count in after.items()}
    return found | {"commit_p99": histogram_quantile(buckets, 0.99)}


async def measure_server(which: str) -> dict[str, float]:
    """Start one of the two servers, load it, end it."""
    with tempfile.TemporaryDirectory(prefix="huiyin-intake-") as name:
        port = free_port()
        process = start_process(["-m", "benchmarks.intake", which, str(port), name], environ(), Path(name) / "log")
        url = f"http://127.0.0.1:{port}"
        try:
            await _wait_up(url, process.popen)
            first = Client(url)
            for _ in range(60):  # A backlog, so that nobody waits for an answer within his request.
                await first.post(event=True)
            first.close()
            return await load(url)
        finally:
            await asyncio.to_thread(process.stop)


async def _wait_up(url: str, popen: Any) -> None:
    async with aiohttp.ClientSession() as http:
        for _ in range(600):
            with suppress(aiohttp.ClientError):
                async with http.get(url + "/healthz"):
                    return
            if popen.poll() is not None:
                break
            await asyncio.sleep(0.05)
    raise SystemExit("intake: the server did not start")


async def _make_database(folder: Path) -> Any:
    from service import schema
    from service.settings import load_settings

    settings = load_settings(os.environ | {"HUIYIN__DATA_DIR": str(folder / "data"), "HUIYIN__LOG__LEVEL": "warning"})
    await schema.migrate(settings)
    return settings, await schema.open_database(settings)


async def serve_ours(port: int, folder: Path) -> None:
    """The whole web part of the service, its workers off: they would be another process."""
    from service.web import build_app

    settings, db = await _make_database(folder)
    runner = web.AppRunner(build_app(settings, db, "benchmark", with_workers=False), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def serve_bare(port: int, folder: Path) -> None:
    """The least that does the same: signature, XML, the row with its ciphertexts, one commit for all waiting."""
    _, db = await _make_database(folder)
    store = BareStore(folder / "data" / "huiyin.db", db.keys)
    app = web.Application()
    app.add_routes([web.post(PATH, store.receive), web.get("/healthz", store.healthz)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await store.run()


COLUMNS = ("channel", "account", "external_id", "sender", "order_key", "text", "event", "attachments", "facts",
           "in_reply_to", "raw", "received_at", "passive_until", "status", "attempts", "scheduled_at", "created_at",
           "last_error")
INSERT = (f"INSERT INTO inbox ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
          " ON CONFLICT (channel, account, external_id) DO NOTHING")


class BareStore:
    """aiohttp and sqlite3, nothing between."""

    def __init__(self, path: Path, keys: Any) -> None:
        self._keys = keys
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._base.execute(f"PRAGMA {pragma}")
        self._arrivals: asyncio.Queue[tuple[tuple[Any, ...], asyncio.Future[None]]] = asyncio.Queue()

    async def healthz(self, _request: web.Request) -> web.Response:
        return web.Response()

    async def receive(self, request: web.Request) -> web.Response:
        query, body = request.query, await request.read()
        parts = "".join(sorted((TOKEN, query["timestamp"], query["nonce"])))
        if hashlib.sha1(parts.encode()).hexdigest() != query["signature"]:
            return web.Response(status=403)
        found = {child.tag: child.text or "" for child in Xml.fromstring(body)}
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals.put_nowait((self._row(found, body), committed))
        await committed
        return web.Response(text="success")

    def _row(self, found: dict[str, str], body: bytes) -> tuple[Any, ...]:
        now, sender = datetime.now(UTC).isoformat(" "), found["FromUserName"]
        facts = self._keys.encrypt(json.dumps({"type": found["MsgType"], "to": found["ToUserName"]}).encode())
        text = self._keys.encrypt(found.get("Content", "").encode())
        return ("wechat", "main", f"{sender}:{found['MsgId']}", sender, f"wechat/main/{sender}", text, None, "[]",
                facts, None, self._keys.encrypt(body), now, None, "todo", 0, now, now, None)

    async def run(self) -> None:
        while True:
            batch = [await self._arrivals.get()]
            while not self._arrivals.empty():
                batch.append(self._arrivals.get_nowait())
            await asyncio.to_thread(self._commit, [row for row, _ in batch])
            for _, committed in batch:
                committed.set_result(None)

    def _commit(self, rows: list[tuple[Any, ...]]) -> None:
        self._base.execute("BEGIN IMMEDIATE")
        self._base.executemany(INSERT, rows)
        self._base.execute("COMMIT")


async def main() -> None:
    bare, ours = await measure_server("bare"), await measure_server("ours")
    print(f"bare handler {bare['rate']:.0f}/s (p99 {bare['p99'] * 1000:.0f} ms), "
          f"service {ours['rate']:.0f}/s (p99 {ours['p99'] * 1000:.0f} ms), ratio {ours['rate'] / bare['rate']:.2f}")


if __name__ == "__main__":
    servers = {"bare": serve_bare, "ours": serve_ours}
    if len(sys.argv) == 4:
        asyncio.run(servers[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3])))
    else:
        asyncio.run(main())
