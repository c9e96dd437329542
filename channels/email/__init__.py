"""E-mail: whole messages in by IMAP, LMTP or the mail server's pipe, out by SMTP."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import Attempt, Capabilities, PermanentFailure, Sent
from channels.email.imap import ImapReader
from channels.email.lmtp import LmtpDoor
from channels.email.parse import Bounce, File, Mail, Unparsable, parse_mail
from channels.email.position import ImapStore
from channels.email.settings import Lmtp, Mailbox
from channels.email.smtp import SmtpPool
from channels.email.write import Envelope, message_id, write_mail
from channels.files import FileStore, NotAllowed, tidy_name
from channels.http import TooLarge, bearer, problem, read_body, refuse
from core import clock, log
from core.db import Database
from core.inbox_writer import InboxWriter
from core.message import Attachment, InboundMessage, OutboundMessage

__all__ = ["Bounce", "Email", "Lmtp", "LmtpDoor", "Mail", "Mailbox"]

MAX_FILES = 50
EVENTS = frozenset({"bounce", "auto_reply", "own"})
"""Automatic mails that are no message from a resident; lists and spam are kept as messages without an answer."""

_MARK = re.compile(r"(?i)(\+bounce-|<huiyin\.)(?P<id>\d{1,18})[-.](?P<seal>[0-9a-f]{12})@")
"""In our Message-IDs, and in the addresses to which our mail comes back."""

_log = log.logger(__name__)


class Email:
    """One mailbox."""

    name = "email"

    def __init__(
        self,
        account: str,
        mailbox: Mailbox,
        writer: InboxWriter,
        files: FileStore,
        db: Database,
        *,
        mail_tokens: Iterable[str] = (),
        max_bytes: int = 25 * 1024 * 1024,
    ) -> None:
        """`mail_tokens` are the `api.tokens` of role `mail`; `max_bytes` is `email.max_bytes`."""
        self.account = account
        self.address = mailbox.address
        self.capabilities = Capabilities(
            max_chars=None,
            media=("image", "audio", "video", "document"),
            window=None,
            carries=("email",) if mailbox.smtp_host else (),
            announces=(),
            pushes=True,
            idempotent_send=True,
        )
        self._mailbox = mailbox
        self._writer = writer
        self._files = files
        self._keys = db.keys
        self._tokens = [token for token in (mailbox.token.get_secret_value(), *mail_tokens) if token]
        self._max_bytes = max_bytes
        self._pool = SmtpPool(mailbox)
        store = ImapStore(db, account, mailbox.imap_folder, self.take, self._put_aside)
        self._reader = ImapReader(account, mailbox, store, max_bytes) if mailbox.imap_host else None

    @property
    def trouble(self) -> str:
        """What keeps this mailbox from being read now, or ""."""
        return self._reader.trouble if self._reader else ""

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.post(f"/channels/email/{quote(self.account)}", self._receive)]

    def secrets(self) -> list[str]:
        box = self._mailbox
        kept = [box.imap_password.get_secret_value(), box.smtp_password.get_secret_value()]
        return [secret for secret in (*self._tokens, *kept) if secret]

    async def start(self) -> None:
        """Begin to read the mailbox, where it has an IMAP side."""
        if self._reader:
            self._reader.start()

    async def close(self) -> None:
        """End reading, and say goodbye to the mail server."""
        if self._reader:
            await self._reader.close()
        await self._pool.close()

    async def forget(self, session: AsyncSession, value: str) -> None:
        """Nothing is kept here but the inbox and its files."""

    async def take(self, raw: bytes) -> str:
        """Store one mail, however it came: `stored`, `seen_before` or `set_aside`. Errors mean: not stored."""
        now = clock.now()
        try:
            mail = await asyncio.to_thread(parse_mail, raw, self._mailbox.address)
        except Unparsable as error:
            await self._put_aside(raw, str(error))
            return "set_aside"
        message = InboundMessage(
            channel=self.name,
            account=self.account,
            external_id=mail.identity,
            sender=mail.sender,
            text=mail.text or mail.subject,
            received_at=now,
            attachments=tuple([await self._keep(file) for file in mail.files[:MAX_FILES]]),
            in_reply_to=mail.in_reply_to,
            raw=raw,
            event=mail.automatic if mail.automatic in EVENTS else None,
            facts=self._facts(mail),
        )
        return "stored" if (await self._writer.put(message)).new else "seen_before"

    async def _put_aside(self, raw: bytes, error: str) -> None:
        digest = hashlib.sha256(raw).hexdigest()[:32]
        message = InboundMessage(
            self.name, self.account, f"unreadable:{digest}", "unknown", "", received_at=clock.now(), raw=raw
        )
        await self._writer.put_aside(message, error)

    async def send(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        """One mail to one resident; its proof is the server's acceptance, its id the row's."""
        box = self._mailbox
        if not box.smtp_host:
            raise PermanentFailure("smtp_host of this mailbox is empty")
        files = await asyncio.to_thread(self._load, message.attachments)
        try:
            mail = write_mail(message, attempt, self._envelope(attempt.outbox_id), clock.now(), files)
        except (ValueError, IndexError):
            raise PermanentFailure("the recipient is no mail address") from None
        sender = self._return_address(attempt.outbox_id)
        await self._pool.send(mail, sender, message.recipient)
        return Sent(mail["Message-ID"])

    def _envelope(self, outbox_id: int) -> Envelope:
        seal = self._seal(outbox_id)
        return Envelope(self.address, message_id(outbox_id, seal, self.address), self._mailbox.plus_addresses)

    def _seal(self, outbox_id: int) -> str:
        """So that nobody can claim that a mail came back which he never saw."""
        return self._keys.digest(f"mail/{outbox_id}")[:12]

    def _return_address(self, outbox_id: int) -> str:
        """Where the mail server sends it back to; it names the mail where the mailbox takes plus-addresses."""
        name, _, domain = self.address.rpartition("@")
        tag = f"+bounce-{outbox_id}-{self._seal(outbox_id)}" if self._mailbox.plus_addresses else ""
        return f"{name}{tag}@{domain}"

    def _returned(self, mail: Mail) -> int | None:
        """Which outbox row came back, as far as its own sealed marks say so."""
        marks = [mail.bounce.message_id or ""] if mail.bounce else []
        for mark in [*marks, *mail.recipients]:
            found = _MARK.search(mark)
            if found and hmac.compare_digest(found["seal"].lower(), self._seal(int(found["id"]))):
                return int(found["id"])
        return None

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        given = bearer(request).encode("utf-8", "replace")
        right = [token for token in self._tokens if hmac.compare_digest(token.encode(), given)]
        if not right:
            return refuse(self.name, self.account, 401, "token", "Send the mailbox's token as a Bearer token.")
        try:
            raw = await read_body(request, self._max_bytes)
        except TooLarge:
            detail = f"A mail has at most {self._max_bytes // 1024 // 1024} MB."
            return refuse(self.name, self.account, 413, "too_large", detail)
        try:
            status = await self.take(raw)
        except Exception as error:  # whatever keeps it from the disk: the mail server must try again
            _log.error("not_stored", channel=self.name, account=self.account, error=type(error).__name__)
            return problem(500, "not stored", "The mail could not be stored: send it again.")
        return web.json_response({"status": status}, status=200 if status == "seen_before" else 202)

    async def _keep(self, file: File) -> Attachment:
        """A kind that is not allowed stays in the raw mail only, and is named."""
        try:
            return await self._files.keep(file.content, file.name)
        except NotAllowed:
            return Attachment(tidy_name(file.name, "bin"), "application/octet-stream", len(file.content))

    def _load(self, attachments: tuple[Attachment, ...]) -> list[tuple[str, str, bytes]]:
        return [
            (item.name, item.type, self._files.locate(item.path).read_bytes()) for item in attachments if item.path
        ]

    def _facts(self, mail: Mail) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "subject": mail.subject,
            "name": mail.sender_name,
            "message_id": mail.message_id,
            "thread": mail.thread,
            "references": mail.references,
            "recipients": mail.recipients,
            "ticket_number": mail.ticket_number,
            "automatic": mail.automatic,
            "files_left_out": max(0, len(mail.files) - MAX_FILES),
            "truncated": mail.truncated,
        }
        if mail.bounce:
            facts["bounce"] = {
                "message_id": mail.bounce.message_id,
                "status": mail.bounce.status,
                "permanent": mail.bounce.permanent,
                "recipients": mail.bounce.recipients,
                "number": mail.bounce.number,
                "outbox_id": self._returned(mail),
            }
        return facts
