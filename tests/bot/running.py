"""The real assistant, its action server and a fake API on free loopback ports, ended by their own processes' ids."""
from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.bot import BOT, PYTHON, train
from service.children import free_port

READY_WITHIN = 180.0


@dataclass(frozen=True, slots=True)
class Assistant:
    """Addresses of what runs."""

    rasa: str
    fake: str


@contextlib.contextmanager
def run_assistant(folder: Path, python: str) -> Iterator[Assistant]:
    """Train if need be, start all three, wait until Rasa answers; `folder` takes the tracker and the logs."""
    model = asyncio.run(train(vectors=True))
    rasa, actions, fake = free_port(), free_port(), free_port()
    environ = {k: v for k, v in os.environ.items() if not k.startswith("HUIYIN")} | {
        "RASA_TELEMETRY_ENABLED": "false", "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "TF_CPP_MIN_LOG_LEVEL": "3",
        "SANIC_HOST": "127.0.0.1", "HUIYIN_VECTORS": "true",
        "HUIYIN_ACTIONS_URL": f"http://127.0.0.1:{actions}/webhook",
        "HUIYIN_TRACKER_DB": f"sqlite:///{folder / 'tracker.db'}",
        "HUIYIN_API_URL": f"http://127.0.0.1:{fake}/api/v1", "HUIYIN_API_TOKEN": "test",
    }
    commands = {
        "fake": ([python, "-m", "tests.bot.fake_api", str(fake)], BOT.parent),
        "actions": ([str(PYTHON), "-m", "rasa_sdk", "--actions", "actions", "-p", str(actions)], BOT),
        "rasa": ([str(PYTHON), "-m", "rasa", "run", "--enable-api", "-i", "127.0.0.1", "-p", str(rasa), "-m", str(model),
                  "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"], BOT),
    }
    with contextlib.ExitStack() as stack:
        for name, (command, where) in commands.items():
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            process = subprocess.Popen(command, cwd=where, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            stack.callback(_end, process)
        for port, path in ((fake, "/calls"), (actions, "/health"), (rasa, "/status")):
            _wait_for(f"http://127.0.0.1:{port}{path}", folder)
        yield Assistant(f"http://127.0.0.1:{rasa}", f"http://127.0.0.1:{fake}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(url: str, folder: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.3)
    logs = "\n".join(path.read_text(errors="replace")[-1500:] for path in folder.glob("*.log"))
    raise RuntimeError(f"{url} did not answer within {READY_WITHIN:.0f} s\n{logs}")
