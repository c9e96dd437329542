"""Calls that come as files: what a recorder wrote → a call, and a folder in which recorders leave them."""

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from channels.phone_call import Call, normal_number, read_call
from channels.transcripts import Unreadable, guess_format, read_transcript
from core import clock, log

MAX_FILE = 20 * 1024 * 1024
KEPT = 1024 * 1024
"""So much of an unreadable file is kept in the inbox; the whole of it lies in the folder."""
SUFFIXES = frozenset({".json", ".srt", ".vtt", ".txt"})
DONE, ASIDE = "done", "unreadable"
LOOK_EVERY_S = 2.0
SETTLED_S = 1.5
"""A file that was written to more recently may still be growing."""

_NUMBER = re.compile(r"(?<!\d)(1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)")
_MOMENT = re.compile(r"(?<!\d)(20\d{2})[-_]?([01]\d)[-_]?([0-3]\d)[-_T ]?([0-2]\d)[-_:]?([0-5]\d)(?:[-_:]?([0-5]\d))?(?!\d)")

_log = log.logger(__name__)

Take = Callable[[Call], Awaitable[str]]
PutAside = Callable[[bytes, str], Awaitable[None]]


def read_file(name: str, raw: bytes, modified_at: datetime, format_: str | None = None) -> Call:
    """A call out of a file: our own JSON, or any transcript. Raises Unreadable.

    What the file does not say is taken from its name, as recorders write it (`13800001234_20261126-090000.json`):
    the caller, the start (else the file's own time), the id (with the digest of the bytes, so that the same file is
    the same call wherever it lies).
    """
    if len(raw) > MAX_FILE:
        raise Unreadable("the file is larger than 20 MB")
    text = _decode(raw)
    own = _own_body(text) if format_ is None else None
    caller, started_at = _NUMBER.search(name), _moment_in(name) or modified_at
    known = {
        "call_id": f"{name[:150]}-{hashlib.sha256(raw).hexdigest()[:16]}",
        "caller": caller[1] if caller else "",
        "started_at": started_at.isoformat(),
    }
    if own is not None:
        call = read_call(json.dumps(known | own).encode())
        return Call(call.call_id, call.caller, call.started_at, call.turns, raw, call.recording, "call_id" not in own)
    turns = read_transcript(format_ or guess_format(text), text)
    call_id = "".join(sign if sign.isprintable() else "_" for sign in known["call_id"])
    return Call(call_id, normal_number(known["caller"]), started_at, tuple(turns), raw, named_by_bytes=True)


def _decode(raw: bytes) -> str:
    """UTF-8, else the encoding of Chinese Windows."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("the file is no text")


def _own_body(text: str) -> dict[str, Any] | None:
    """The body of POST /channels/phone/calls, when that is what the file holds."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_own = isinstance(body, dict) and ("turns" in body or {"format", "transcript"} <= body.keys())
    return body if is_own else None


def _moment_in(name: str) -> datetime | None:
    """The start of a call as its recorder put it into the name, on the office's clock."""
    if found := _MOMENT.search(name):
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=clock.ZONE)
        except ValueError:
            return None
    return None


def load(path: Path) -> tuple[bytes, datetime]:
    """A file's bytes (of one that is far too large only the beginning, which nobody can read) and its own time."""
    with path.open("rb") as file:
        return file.read(MAX_FILE + 1), datetime.fromtimestamp(path.stat().st_mtime, UTC)


class WatchedFolder:
    """A folder whose files are taken in and moved to `done/`, or to `unreadable/` and set aside."""

    def __init__(self, folder: Path, take: Take, put_aside: PutAside) -> None:
        self._folder, self._take, self._put_aside = folder, take, put_aside

    async def watch(self) -> None:
        """Look again and again, until cancelled. One bad file stops nothing; what is not stored stays where it is."""
        while True:
            try:
                await self.look()
            except OSError as error:
                _log.error("watch_dir", channel="phone", error=f"{type(error).__name__}: {error.strerror}")
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Take in what lies there now, oldest first."""
        for path in await asyncio.to_thread(self._list):
            try:
                await self._bring(path)
            except FileNotFoundError:
                continue  # Another process was faster.
            except Exception as error:  # whatever keeps it from the disk: it is tried again at the next look
                _log.error("not_stored", channel="phone", error=type(error).__name__)

    def _list(self) -> list[Path]:
        self._folder.mkdir(parents=True, exist_ok=True)
        settled = time.time() - SETTLED_S
        found = [
            (path.stat().st_mtime, path)
            for path in self._folder.iterdir()
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        ]
        return [path for changed, path in sorted(found) if changed <= settled]

    async def _bring(self, path: Path) -> None:
        raw, changed_at = await asyncio.to_thread(load, path)
        try:
            call = read_file(path.name, raw, changed_at)
        except Unreadable as error:
            await self._put_aside(raw[:KEPT], str(error))
            _log.warning("unreadable", channel="phone", reason=str(error))
            await asyncio.to_thread(_move, path, ASIDE)
            return
        await self._take(call)
        await asyncio.to_thread(_move, path, DONE)


def _move(path: Path, where: str) -> None:
    """A name that is taken there gets a number."""
    folder = path.parent / where
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        target, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
    path.rename(target)
