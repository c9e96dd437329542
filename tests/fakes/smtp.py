"""A mail server on the loopback that takes mails, or refuses, stalls and hangs up as told."""

import asyncio
from collections import deque


class FakeMailServer:
    """Records: `mails` (raw bytes), `recipients`. `scripted`: a code for RCPT, `data:451`, `slow` or `bye`."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.recipients: list[str] = []
        self.scripted: deque[str] = deque()
        self.port = 0
        self._never = asyncio.Event()
        self._server: asyncio.Server

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._never.set()
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        trouble = self.scripted.popleft() if self.scripted else ""
        if trouble == "slow":
            await self._never.wait()
        writer.write(b"220 loopback\r\n")
        while line := await reader.readline():
            verb = line.decode("ascii", "replace").strip()
            if verb.upper().startswith("RCPT") and trouble == "bye":
                break
            answer = await self._answer(verb, trouble, reader, writer)
            writer.write(answer.encode() + b"\r\n")
            if answer.startswith("221"):
                break
        writer.close()

    async def _answer(
        self, verb: str, trouble: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str:
        if verb.upper().startswith("RCPT"):
            if trouble.isdigit():
                return f"{trouble} refused"
            self.recipients.append(verb.partition(":")[2].strip(" <>"))
        if verb.upper() == "DATA":
            writer.write(b"354 go on\r\n")
            mail = (await reader.readuntil(b"\r\n.\r\n"))[:-5]
            if trouble.startswith("data:"):
                return f"{trouble[5:]} refused"
            self.mails.append(mail.replace(b"\r\n..", b"\r\n."))
        return "221 bye" if verb.upper() == "QUIT" else "250 ok"
