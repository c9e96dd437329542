"""Files that residents send: typed by content, allowed by list, kept by hash outside the web root."""

import asyncio
import hashlib
import os
import re
import tempfile
from pathlib import Path

import filetype
from pydantic import Field

from channels.pictures import NoPicture, without_position
from channels.virus import Scanner
from core.config import Section
from core.message import Attachment

MAX_BYTES = 20 * 1024 * 1024

ALLOWED = (
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/heic", "audio/amr",
    "audio/mpeg", "audio/mp4", "audio/x-wav", "audio/ogg", "audio/aac", "video/mp4", "video/quicktime",
    "video/webm", "video/3gpp", "application/pdf", "application/msword", "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
"""Kinds of files that are taken, by their content."""


class FileSettings(Section):
    """`attachments.*`: what is taken from residents and how it is kept."""

    max_bytes: int = Field(MAX_BYTES, ge=1024)
    allow: list[str] = list(ALLOWED)
    keep_originals: bool = False
    """True: pictures are kept as they came, with the position in them, because the office needs it as evidence."""
    clamd: str = ""
    """`host:port` or the path of a socket: each file is scanned before it is kept."""


class NotAllowed(Exception):
    """The content is of a kind that is not taken, of none that is known, or harmful. Answer 415."""


class FileStore:
    """A folder of files named by their digest; the same bytes are kept once."""

    def __init__(self, folder: Path, settings: FileSettings | None = None) -> None:
        self._folder = folder
        self._settings = settings or FileSettings()
        self._scanner = Scanner(self._settings.clamd) if self._settings.clamd else None
        self.max_bytes = self._settings.max_bytes

    async def keep(self, content: bytes, name: str) -> Attachment:
        """Store the bytes durably. NotAllowed when the content, whatever its name says, is not on the list.

        With a scanner set, TemporaryFailure while it is away: nothing unscanned is kept.
        """
        kind = self._kind_of(content)
        if self._scanner and (found := await self._scanner.scan(content)):
            raise NotAllowed(f"the scanner found {found}")
        return await asyncio.to_thread(self._keep, content, name, kind)

    def locate(self, attachment_path: str) -> Path:
        """Where the file of an `Attachment.path` lies. ValueError for a path that leaves the folder."""
        path = (self._folder / attachment_path).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise ValueError("an attachment lies inside the folder of attachments")
        return path

    def _kind_of(self, content: bytes) -> filetype.Type:
        if len(content) > self.max_bytes:
            raise NotAllowed(f"larger than {self.max_bytes} bytes")
        kind = filetype.guess(content[:8192])
        if kind is None or kind.mime not in self._settings.allow:
            raise NotAllowed(kind.mime if kind else "unknown")
        return kind

    def _keep(self, content: bytes, name: str, kind: filetype.Type) -> Attachment:
        if not self._settings.keep_originals:
            try:
                content = without_position(content, kind.mime)
            except NoPicture as error:
                raise NotAllowed(f"no readable picture: {error}") from error
        digest = hashlib.sha256(content).hexdigest()
        relative = f"{digest[:2]}/{digest}"
        target = self._folder / relative
        if not target.exists():
            _write_durably(target, content)
        return Attachment(name=tidy_name(name, kind.extension), type=kind.mime, size=len(content), path=relative)


def tidy_name(name: str, extension: str) -> str:
    """The name without folders and control characters, ending as its content says."""
    stem = re.sub(r"[\x00-\x1f\x7f\"<>|:*?]", "", re.split(r"[/\\]", name)[-1]).strip(" .")
    stem = (stem.rsplit(".", 1)[0] if "." in stem else stem)[:80] or "file"
    return f"{stem}.{extension}"


def _write_durably(target: Path, content: bytes) -> None:
    """Written under another name first: a file under its digest is always whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
