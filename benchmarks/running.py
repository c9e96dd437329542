"""The real service as a process to be measured: started in a folder of its own, watched, and ended."""

import asyncio
import ctypes
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import psutil

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
MB = 1024 * 1024
PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Process:
    """A process of ours with its children. `peak_mb` is the largest sum of resident memory that was seen."""

    popen: subprocess.Popen[bytes]
    peak_mb: float = 0.0
    peaks: dict[str, float] = field(default_factory=dict)

    def memory_mb(self) -> dict[str, float]:
        """Resident memory now, by what each process of the tree is."""
        found: dict[str, float] = {}
        with suppress(psutil.Error):
            root = psutil.Process(self.popen.pid)
            for process in (root, *root.children(recursive=True)):
                with suppress(psutil.Error):
                    name = _name_of(process.cmdline())
                    found[name] = found.get(name, 0.0) + process.memory_info().rss / MB
        return found

    async def watch(self) -> None:
        """Keep the peaks, twice a second, until cancelled."""
        while True:
            now = self.memory_mb()
            if sum(now.values()) > self.peak_mb:
                self.peak_mb, self.peaks = sum(now.values()), now
            await asyncio.sleep(0.5)

    def stop(self, patience_s: float = 15.0) -> None:
        """Ask it to end, then make it; nothing of the tree is left."""
        with suppress(psutil.Error):
            tree = psutil.Process(self.popen.pid).children(recursive=True)
            self.popen.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(patience_s)
            for process in tree:
                with suppress(psutil.Error):
                    process.kill()
        self.popen.kill()
        self.popen.wait()


def _name_of(command: Iterable[str]) -> str:
    words = set(command)
    return "rasa" if "rasa" in words else "actions" if "rasa_sdk" in words else "service"


def start_process(arguments: list[str], environ: Mapping[str, str], log: Path) -> Process:
    """This Python with these arguments; what it says goes to the file."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("HUIYIN")}
    with log.open("wb") as output:
        popen = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=ours | environ,
                                 stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                 preexec_fn=_end_with_us)
    return Process(popen)


def _end_with_us() -> None:
    """Where a benchmark is killed, what it started ends too (Linux)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Service:
    """A running Huiyin; `healthy_s` and `ready_s` say how long it took to get there."""

    url: str
    folder: Path
    process: Process
    http: aiohttp.ClientSession
    began: float
    healthy_s: float = 0.0
    ready_s: float = 0.0

    async def wait_healthy(self, within_s: float = 60) -> None:
        """Until /healthz answers 200."""
        await self._wait(self._is_healthy, within_s)
        self.healthy_s = time.monotonic() - self.began

    async def wait_ready(self, within_s: float = 240) -> None:
        """Until the assistant can take turns (a first start trains it)."""
        await self.wait_for(within_s, "assistant", "guides", "database")
        self.ready_s = time.monotonic() - self.began

    async def wait_for(self, within_s: float, *parts: str) -> None:
        """Until /readyz says ok of these parts."""
        await self._wait(partial(self._are_ready, parts), within_s)

    async def _wait(self, condition: Any, within_s: float) -> None:
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if self.process.popen.poll() is not None:
                break
            if await condition():
                return
            await asyncio.sleep(0.05)
        last = (self.folder / "log").read_text("utf-8", "replace").splitlines()[-5:]
        raise SystemExit("the service did not come up:\n" + "\n".join(last))

    async def _is_healthy(self) -> bool:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self.http.get(self.url + "/healthz") as answer:
                return answer.status == 200
        return False

    async def _are_ready(self, parts: Iterable[str]) -> bool:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self.http.get(self.url + "/readyz") as answer:
                told = (await answer.json())["parts"]
                return all(told[name]["status"] == "ok" for name in parts)
        return False

    async def metric(self, name: str) -> dict[str, float]:
        """All series of a metric: what stands between its braces → its value."""
        async with self.http.get(self.url + "/metrics") as answer:
            text = await answer.text()
        lines = re.findall(rf"^{name}(?:{{(.*?)}})? (\S+)$", text, re.M)
        return {labels: float(value) for labels, value in lines}

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """A read-only look into its database."""
        with closing(sqlite3.connect(f"file:{self.folder / 'data' / 'huiyin.db'}?mode=ro", uri=True)) as base:
            return base.execute(query, values).fetchall()

    def rasa(self) -> tuple[str, str]:
        """Address and token of the Rasa it started, as its command line tells."""
        for process in psutil.Process(self.process.popen.pid).children(recursive=True):
            words = process.cmdline()
            if "rasa" in words and "-p" in words:
                port, token = words[words.index("-p") + 1], words[words.index("--auth-token") + 1]
                return f"http://127.0.0.1:{port}", token
        raise SystemExit("the service runs no Rasa")


@asynccontextmanager
async def run_service(environ: Mapping[str, str], preset: str = "hall") -> AsyncIterator[Service]:
    """The service with an empty database on a free port; ended, and its folder removed, at the end."""
    with tempfile.TemporaryDirectory(prefix="huiyin-bench-") as name:
        folder, port = Path(name), free_port()
        (folder / "config.yml").write_text("")
        ours = {
            "HUIYIN_CONFIG": str(folder / "config.yml"),
            "HUIYIN__DATA_DIR": str(folder / "data"),
            "HUIYIN__WEB__PORT": str(port),
            "HUIYIN__OFFICE__PRESET": preset,
            "HUIYIN__LOG__LEVEL": "warning",
            "HUIYIN__WEB__LIMITS__WEBCHAT_PER_MINUTE": "100000",
            "HUIYIN__WEB__LIMITS__WEBCHAT_SESSIONS_PER_MINUTE": "100000",
        }
        began = time.monotonic()
        process = start_process(["-m", "service", "serve"], ours | environ, folder / "log")
        watching = asyncio.create_task(process.watch())
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
                service = Service(f"http://127.0.0.1:{port}", folder, process, http, began)
                await service.wait_healthy()
                yield service
        finally:
            watching.cancel()
            await asyncio.to_thread(process.stop)


def wechat_environ(app_id: str, secret: str, token: str, aes_key: str, mode: str, api_base: str) -> dict[str, str]:
    """The settings of one WeChat account named `main`."""
    values = {"app_id": app_id, "app_secret": secret, "token": token, "aes_key": aes_key, "mode": mode,
              "api_base": api_base}
    return {f"HUIYIN__WECHAT__ACCOUNTS__MAIN__{key.upper()}": value for key, value in values.items()}


def quantile(values: Iterable[float], share: float) -> float:
    """The value that this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def histogram_quantile(buckets: Mapping[str, float], share: float) -> float:
    """The upper edge of the histogram's bucket that holds this quantile (labels as `le="0.3"`)."""
    edges = sorted((float(label.split('"')[1].replace("+Inf", "inf")), count) for label, count in buckets.items())
    total = edges[-1][1] if edges else 0
    return next((edge for edge, count in edges if total and count >= share * total), float("nan"))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
