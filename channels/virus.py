"""The office's own virus scanner, where it has one: clamd's INSTREAM over a socket."""

import asyncio
import struct

from channels.base import TemporaryFailure

TIMEOUT_S = 30.0
CHUNK = 64 * 1024


class Scanner:
    """A clamd at `host:port` or at the path of its socket."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def scan(self, content: bytes) -> str | None:
        """The name of what was found, or None. TemporaryFailure when the scanner does not answer as it should."""
        try:
            answer = await asyncio.wait_for(self._ask(content), TIMEOUT_S)
        except (OSError, TimeoutError, ValueError) as error:
            raise TemporaryFailure(f"the virus scanner does not answer ({type(error).__name__})") from None
        verdict = answer.rstrip("\x00\n ").removeprefix("stream: ")
        if verdict == "OK":
            return None
        if verdict.endswith(" FOUND"):
            return verdict.removesuffix(" FOUND")
        raise TemporaryFailure(f"the virus scanner answers: {verdict[:80]}")

    async def _ask(self, content: bytes) -> str:
        reader, writer = await self._open()
        try:
            writer.write(b"zINSTREAM\x00")
            for start in range(0, len(content), CHUNK):
                chunk = content[start : start + CHUNK]
                writer.write(struct.pack(">I", len(chunk)) + chunk)
                await writer.drain()
            writer.write(struct.pack(">I", 0))
            await writer.drain()
            return (await reader.read(4096)).decode("utf-8", "replace")
        finally:
            writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._address.startswith("/"):
            return await asyncio.open_unix_connection(self._address)
        host, _, port = self._address.rpartition(":")
        return await asyncio.open_connection(host, int(port))
