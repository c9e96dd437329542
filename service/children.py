"""Rasa and its action server as child processes: started on free ports, their output wrapped, restarted, ended."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core import log

BACK_OFF_S = (1, 2, 5, 10, 30)
STOP_S = 4
LONGEST_LINE = 1 << 16
_DIE_WITH_PARENT = (
    "import ctypes, os, signal, sys\n"
    "try: ctypes.CDLL(None).prctl(1, signal.SIGKILL)\n"  # PR_SET_PDEATHSIG, which outlives the exec.
    "except (OSError, AttributeError): pass\n"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)

logger = log.logger(__name__)


@dataclass(slots=True)
class Child:
    """One process to keep running. `restarts` counts how often it had to be started again."""

    name: str
    command: list[str]
    cwd: Path
    environ: Mapping[str, str]
    restarts: int = 0
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    async def keep_running(self) -> None:
        """Start it, and again whenever it ends, later each time; ends it when cancelled."""
        try:
            while True:
                started = asyncio.get_running_loop().time()
                code = await self._run_once()
                lived = asyncio.get_running_loop().time() - started
                self.restarts = 0 if lived > 120 else self.restarts + 1
                pause = BACK_OFF_S[min(self.restarts, len(BACK_OFF_S)) - 1] if self.restarts else BACK_OFF_S[0]
                logger.warning("child ended", child=self.name, code=code, again_in_s=pause)
                await asyncio.sleep(pause)
        finally:
            await self._end()

    async def _run_once(self) -> int:
        self.process = await asyncio.create_subprocess_exec(
            *dies_with_us(self.command),
            cwd=self.cwd,
            env=dict(self.environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LONGEST_LINE,
            start_new_session=True,
        )
        logger.info("child started", child=self.name, pid=self.process.pid)
        await self._wrap_output(self.process)
        return await self.process.wait()

    async def _wrap_output(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # A line longer than the limit: drop it, the process goes on.
                continue
            if not line:
                return
            if text := line.decode("utf-8", "replace").strip():
                logger.info("child says", child=self.name, line=text[:2000])

    async def _end(self) -> None:
        process = self.process
        if process is None or process.returncode is not None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()


async def run_to_end(command: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    """Run a program that ends by itself: its exit code and all it said. Cancelled, the program is ended."""
    process = await asyncio.create_subprocess_exec(
        *dies_with_us(command), cwd=cwd, env=dict(environ), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, start_new_session=True,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode or 0, said.decode("utf-8", "replace")


def dies_with_us(command: Sequence[str]) -> list[str]:
    """The command so begun that a service that is killed leaves no Rasa behind (Linux; elsewhere the new start finds free ports).

    Not by `preexec_fn`: Python run between fork and exec waits for ever where another thread held a lock at the fork, and with
    it the whole service (seen while the sentence vectors were being loaded).
    """
    return [sys.executable, "-ISc", _DIE_WITH_PARENT, *command] if sys.platform == "linux" else list(command)


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
