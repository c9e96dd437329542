"""The mail server of the demo's town: it takes what the office sends and shows it to the resident."""

import asyncio
import email
import email.policy
from email.message import EmailMessage


class TownMail:
    """Record: `mails`, as the residents got them."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.port = 0
        self._server: asyncio.Server

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 town.invalid\r\n")
        try:
            while line := await reader.readline():
                verb = line.strip().upper()
                if verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    self._keep(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
                if verb == b"QUIT":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # Who hangs up is gone.
        finally:
            writer.close()

    def _keep(self, data: bytes) -> None:
        raw = data[:-5].replace(b"\r\n..", b"\r\n.")
        self.mails.append(email.message_from_bytes(raw, policy=email.policy.default))
