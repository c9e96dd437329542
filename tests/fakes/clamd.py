"""A clamd on the loopback that finds one thing, hangs up, or complains."""

import asyncio
import struct

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless text that every scanner must find, written in two pieces."""


class FakeClamd:
    """Record: `scanned`, the sizes it was given. `trouble`: "bye" closes without a word, "error" complains."""

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble
        self.scanned: list[int] = []
        self.address = ""

    async def __aenter__(self) -> "FakeClamd":
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\x00") == b"zINSTREAM\x00"
        content = b""
        while length := struct.unpack(">I", await reader.readexactly(4))[0]:
            content += await reader.readexactly(length)
        self.scanned.append(len(content))
        if self.trouble == "error":
            writer.write(b"INSTREAM size limit exceeded. ERROR\x00")
        elif not self.trouble:
            writer.write(b"stream: Eicar-Signature FOUND\x00" if EICAR in content else b"stream: OK\x00")
        writer.close()
