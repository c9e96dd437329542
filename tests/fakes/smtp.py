"""A mail server on the loopback that takes mails, or refuses, stalls and hangs up as told."""

import asyncio
import ssl
from collections import deque

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class FakeMailServer:
    """Records: `mails` (raw bytes), `recipients`, `senders`, `connections`, `goodbyes`, `logins`, `encrypted`.

    `scripted`, one a connection, or one a mail where the connection goes on: a code for RCPT, `data:451`, `slow` or
    `bye`. With a `tls` context the whole talk is encrypted.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.mails: list[bytes] = []
        self.recipients: list[str] = []
        self.senders: list[str] = []
        self.scripted: deque[str] = deque()
        self.connections = 0
        self.goodbyes = 0
        self.logins = 0
        self.encrypted = False
        self.port = 0
        self._tls = tls
        self._never = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.encrypted = self._tls is not None

    async def close(self) -> None:
        self._never.set()
        self._server.close()
        await self.hang_up()

    async def hang_up(self) -> None:
        """End every connection without a word."""
        for writer in list(self._open):
            writer.close()
        await asyncio.sleep(0.05)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        trouble = self.scripted.popleft() if self.scripted else ""
        if trouble == "slow":
            await self._never.wait()
        writer.write(b"220 loopback\r\n")
        while line := await reader.readline():
            verb = line.decode("ascii", "replace").strip()
            word = verb.upper().split(" ")[0].split(":")[0]
            if word == "RCPT" and trouble == "bye":
                return
            if word == "MAIL":
                self.senders.append(verb.partition("<")[2].partition(">")[0])
            if word == "RSET":
                trouble = self.scripted.popleft() if self.scripted else ""
            answer = await self._answer(verb, word, trouble, reader, writer)
            writer.write(answer.encode() + b"\r\n")
            if word == "QUIT":
                self.goodbyes += 1
                return

    async def _answer(
        self, verb: str, word: str, trouble: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str:
        if word == "EHLO":
            return "250-loopback\r\n250 AUTH PLAIN LOGIN"
        if word == "AUTH":
            self.logins += 1
            return "535 no"
        if word == "RCPT":
            if trouble.isdigit():
                return f"{trouble} refused"
            self.recipients.append(verb.partition(":")[2].strip(" <>"))
        if word == "DATA":
            writer.write(b"354 go on\r\n")
            mail = (await reader.readuntil(b"\r\n.\r\n"))[:-5]
            if trouble.startswith("data:"):
                return f"{trouble[5:]} refused"
            self.mails.append(mail.replace(b"\r\n..", b"\r\n."))
        return "221 bye" if word == "QUIT" else "250 ok"


class StarttlsServer:
    """A server that takes mail after STARTTLS only. Records: `mails`, `logins`, `encrypted`."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.mails: list[bytes] = []
        self.logins = 0
        self.encrypted = False
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def talk() -> SMTP:
            return SMTP(self, tls_context=self._tls, require_starttls=True, hostname="loopback", loop=loop,
                        authenticator=self._refuse)

        self._server = await loop.create_server(talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        self.encrypted = session.ssl is not None
        self.mails.append(bytes(envelope.content or b""))
        return "250 ok"

    def _refuse(self, *_given: object) -> AuthResult:
        self.logins += 1
        return AuthResult(success=False)
