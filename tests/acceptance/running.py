"""A real Huiyin started for a test, and the few ways to speak to it from outside."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import psutil

from tests.fakes.wechat import FakeWeChat

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 150
ENDS_WITHIN_S = 10
"""What is promised: after SIGTERM everything has ended."""
TOKENS = {
    "clerk": "clerk-token-for-tests",
    "officer": "officer-token-for-tests",
    "supervisor": "supervisor-token-for-tests",
    "inspector": "inspector-token-for-tests",
}
PR_SET_PDEATHSIG = 1
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings_of(wechat: FakeWeChat) -> dict[str, str]:
    """The account `main` on this platform, as `Running` takes settings."""
    keys = wechat.keys
    values = {
        "app_id": keys.app_id, "app_secret": keys.secret, "token": keys.token, "aes_key": keys.aes_key,
        "mode": keys.mode, "kind": "service", "api_base": wechat.url,
    }
    return {f"wechat__accounts__main__{name}": value for name, value in values.items()}


def _end_with_parent() -> None:
    """A test run that is itself killed leaves no service behind (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Running:
    """`huiyin serve` as its own process; `settings` are environment variables without their prefix."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.data_dir = folder / "var"
        self.log = folder / "service.log"
        self.config = folder / "config.yml"
        self.config.touch()
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith("HUIYIN")} | {
            "HUIYIN_CONFIG": str(self.config),
            "HUIYIN__WEB__PORT": str(self.port),
            "HUIYIN__DATA_DIR": str(self.data_dir),
            **{f"HUIYIN__API__TOKENS__{role.upper()}__TOKEN": token for role, token in TOKENS.items()},
            **{f"HUIYIN__API__TOKENS__{role.upper()}__ROLE": role for role in TOKENS},
            **{f"HUIYIN__{key.upper()}": value for key, value in settings.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None
        timeout = aiohttp.ClientTimeout(total=60)
        self.http = aiohttp.ClientSession(f"http://127.0.0.1:{self.port}", timeout=timeout)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service", "serve"], cwd=ROOT, env=self.environ, stdout=log, stderr=log,
                preexec_fn=_end_with_parent,
            )

    async def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`huiyin …` with the same settings."""
        return await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "service", *words], cwd=ROOT, env=self.environ,
            capture_output=True, text=True, timeout=PATIENCE_S,
        )

    async def wait_alive(self) -> None:
        await self.until(self._is_alive)

    async def wait_assistant(self, status: str = "ok") -> None:
        async def has_it() -> bool:
            async with self.http.get("/readyz") as response:
                return bool((await response.json())["parts"]["assistant"]["status"] == status)

        await self.until(has_it)

    async def _is_alive(self) -> bool:
        assert self.process and self.process.poll() is None, f"the service ended\n{self.end_of_log()}"
        async with self.http.get("/healthz") as response:
            return response.status == 200 and await response.json() == {"status": "ok"}

    async def until(self, condition: Callable[[], Awaitable[T | None]], patience_s: float = PATIENCE_S) -> T:
        """What the condition says once it is true; an AssertionError with the end of the log when it never is."""
        for _ in range(int(patience_s / 0.2)):
            try:
                if found := await condition():
                    return found
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.2)
        raise AssertionError(f"it did not happen: {condition}\n{self.end_of_log()}")

    def end_of_log(self) -> str:
        return self.log.read_text("utf-8", "replace")[-3000:]

    def children(self) -> list[psutil.Process]:
        assert self.process
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process | None:
        """The child whose command has this word."""
        for child in self.children():
            with suppress(psutil.NoSuchProcess):  # It may end, or be a zombie, while we look.
                if word in child.cmdline():
                    return child
        return None

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def stop(self) -> None:
        """SIGTERM: it ends by itself in the promised time with exit code 0, and leaves no child behind."""
        await self.http.close()
        if self.process is None or self.process.poll() is not None:
            return
        children = self.children()
        self.process.terminate()
        try:
            code = await asyncio.to_thread(self.process.wait, ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            for process in (self.process, *children):
                process.kill()
            raise AssertionError(f"SIGTERM did not end it\n{self.end_of_log()}") from None
        left = [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
        assert (code, left) == (0, []), self.end_of_log()

    async def api(self, role: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {TOKENS[role]}"}
        async with self.http.request(method, f"/api/v1{path}", json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def items(self, path: str, role: str = "clerk") -> list[dict[str, Any]]:
        status, answer = await self.api(role, "GET", path)
        assert status == 200, answer
        found: list[dict[str, Any]] = answer["items"]
        return found

    async def verb(self, role: str, number: str, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A verb that must succeed; gives the ticket."""
        status, ticket = await self.api(role, "POST", f"/tickets/{number}/{verb}", body or {})
        assert status == 200, (verb, ticket)
        return dict(ticket)


@asynccontextmanager
async def running(folder: Path, **settings: str) -> AsyncIterator[Running]:
    """A service that answers /healthz, and is stopped as an operator would, whatever happened."""
    service = Running(folder, **settings)
    service.start()
    try:
        await service.wait_alive()
        yield service
    finally:
        await service.stop()


class Chat:
    """A resident in the web chat."""

    def __init__(self, running: Running, session: dict[str, str]) -> None:
        self._running, self._session, self._seq, self._count = running, session, 0, 0
        self.address = f"webchat:{session['session']}"

    @classmethod
    async def open(cls, running: Running) -> "Chat":
        async with running.http.post("/channels/webchat/sessions") as response:
            assert response.status == 201
            return cls(running, await response.json())

    async def say(self, text: str) -> str:
        """Say something and give what is said to it, all lines joined."""
        self._count += 1
        assert await self.post(f"m{self._count}", text) == 202
        return "\n".join(await self._running.until(self.news))

    async def post(self, client_id: str, text: str) -> int:
        async with self._running.http.post(
            self._path(), json={"id": client_id, "text": text}, headers=self._headers()
        ) as response:
            await response.read()
            return response.status

    async def news(self) -> list[str]:
        """New lines of the office since the last look."""
        lines = [item for item in await self.lines(self._seq) if item["from"] != "resident"]
        self._seq = max([self._seq, *(item["seq"] for item in lines)])
        return [item["text"] for item in lines]

    async def hears(self, part: str, speaker: str) -> str:
        """Waits for a line of this speaker (assistant or staff) with this part."""

        async def heard() -> str | None:
            texts = [item["text"] for item in await self.lines() if item["from"] == speaker]
            return next((text for text in texts if part in text), None)

        return await self._running.until(heard)

    async def lines(self, after: int = 0) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        while True:
            params = {"after": str(after)}
            async with self._running.http.get(self._path(), params=params, headers=self._headers()) as response:
                page = await response.json()
            items += page["items"]
            if not page["items"] or not page["next"]:
                return items
            after = page["items"][-1]["seq"]

    async def conversation(self) -> dict[str, Any]:
        """As the clerk sees it."""
        (found,) = await self._running.items(f"/conversations?address={self.address}")
        return found

    def _path(self) -> str:
        return f"/channels/webchat/sessions/{self._session['session']}/messages"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._session['token']}"}


class Follower:
    """A resident on WeChat: what he is told comes as passive replies or as customer-service messages."""

    def __init__(self, running: Running, platform: FakeWeChat, openid: str) -> None:
        self._running, self._platform, self.openid = running, platform, openid
        self._read = 0

    async def say(self, text: str) -> str:
        """Say something and give what is said to it, whichever way it comes."""
        return await self._hear(await self._platform.says(self.openid, text))

    async def act(self, event: str) -> str:
        return await self._hear(await self._platform.acts(self.openid, event))

    async def _hear(self, reply: str | None) -> str:
        return reply if reply is not None else await self._running.until(self.pushed)

    async def pushed(self) -> str | None:
        """New customer-service messages since the last look."""
        texts = self._platform.texts(self.openid)[self._read :]
        self._read += len(texts)
        return "\n".join(texts) or None
