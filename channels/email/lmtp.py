"""The LMTP door: the office's mail server hands mail over, each recipient answered by a line of his own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiosmtpd.lmtp import LMTP

from core import log

UNKNOWN = "550 5.1.1 no such mailbox here"
STORED = "250 2.0.0 stored"
LATER = "451 4.3.0 not stored, try again"
TOO_LARGE = "552 5.3.4 the mail is larger than this office takes"
MAX_RECIPIENTS = 100
IDLE_S = 300.0

Take = Callable[[bytes], Awaitable[str]]
"""Stores one mail for one mailbox; any error means that it was not stored."""

_log = log.logger(__name__)


class LmtpDoor:
    """One listener for all mailboxes."""

    def __init__(self, host: str, port: int, takers: Mapping[str, Take], max_bytes: int) -> None:
        """`takers` are the mailboxes by their address."""
        self._host, self._port = host, port
        self._takers = {address.lower(): take for address, take in takers.items()}
        self._max_bytes = max_bytes
        self._sessions: set[_Session] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens, once it was started."""
        return self._server.sockets[0].getsockname()[1] if self._server else 0

    async def start(self) -> None:
        """Listen. OSError when the port cannot be used."""
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # It would log every recipient.
        self._server = await asyncio.get_running_loop().create_server(self._new_session, self._host, self._port)

    async def close(self) -> None:
        """Stop listening and hang up; a mail that was not answered is tried again by its server."""
        if self._server:
            self._server.close()
        for session in list(self._sessions):
            if isinstance(session.transport, asyncio.Transport):
                session.transport.abort()

    def find(self, recipient: str) -> str | None:
        """The mailbox's address behind a recipient, plus-addresses and all."""
        name, at, domain = recipient.strip().strip("<>").lower().rpartition("@")
        for candidate in (name, name.partition("+")[0]):
            if at and f"{candidate}@{domain}" in self._takers:
                return f"{candidate}@{domain}"
        return None

    async def handle_EHLO(
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """What RFC 2033 wants every LMTP server to offer."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", *responses[-1:]]

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.find(address) is None:
            return UNKNOWN
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients in one go"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """A line for each recipient; two names of one mailbox share one mail."""
        recipients: list[str] = envelope.rcpt_tos
        answers: dict[str, str] = {}
        for box in dict.fromkeys(map(self.find, recipients)):
            assert box is not None
            named = [recipient for recipient in recipients if self.find(recipient) == box]
            answers[box] = await self._store(box, _with_envelope(envelope, named))
        return "\r\n".join(answers[str(self.find(recipient))] for recipient in recipients)

    async def _store(self, box: str, raw: bytes) -> str:
        try:
            await self._takers[box](raw)
        except Exception as error:  # whatever keeps it from the disk: the mail server must try again
            _log.error("not_stored", channel="email", door="lmtp", error=type(error).__name__)
            return LATER
        return STORED

    def _new_session(self) -> "_Session":
        return _Session(self, self._sessions, self._max_bytes)


class _Session(LMTP):
    """aiosmtpd answers a mail with one line, LMTP wants one a recipient: the missing ones are added here."""

    line_length_limit = 4 * 1024 * 1024
    """Programs write HTML on a single line; refusing it would lose the mail."""

    def __init__(self, door: LmtpDoor, sessions: set["_Session"], max_bytes: int) -> None:
        super().__init__(
            door, data_size_limit=max_bytes, enable_SMTPUTF8=True, hostname="huiyin", ident="Huiyin",
            timeout=IDLE_S, loop=asyncio.get_running_loop(),
        )
        self._sessions = sessions
        self._receiving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._sessions.discard(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:
        try:
            await super().smtp_DATA(arg)
        finally:
            self._receiving = False

    async def push(self, status: str | bytes) -> None:
        line = status.decode() if isinstance(status, bytes) else status
        if self._receiving and "\r\n" not in line:
            line = TOO_LARGE if line.startswith(("552", "500")) else line
            recipients = self.envelope.rcpt_tos if self.envelope else []
            line = "\r\n".join([line] * max(1, len(recipients)))
        self._receiving = self._receiving or line.startswith("354")
        await super().push(line)


def _with_envelope(envelope: Any, recipients: list[str]) -> bytes:
    """The mail as a delivery leaves it: who sent it and for whom, on top."""
    lines = [f"Return-Path: <{(envelope.mail_from or '').strip('<>')}>", *(f"Delivered-To: {name}" for name in recipients)]
    content: bytes = envelope.content
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape") + content
