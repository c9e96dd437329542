"""E-mail: whole messages in through the mail server's pipe, out by SMTP."""

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import aiosmtplib
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import Attempt, Capabilities, PermanentFailure, Sent, TemporaryFailure
from channels.email.parse import Bounce, File, Mail, Unparsable, parse_mail
from channels.email.settings import Mailbox
from channels.email.write import message_id, write_mail
from channels.files import FileStore, NotAllowed, tidy_name
from channels.http import TooLarge, bearer, problem, read_body, refuse
from core import clock, log
from core.inbox_writer import InboxWriter
from core.message import Attachment, InboundMessage, OutboundMessage

__all__ = ["Bounce", "Email", "Mail", "Mailbox"]

TIMEOUT_S = 60.0
MAX_FILES = 50
EVENTS = frozenset({"bounce", "auto_reply", "own"})
"""Automatic mails that are no message from a resident; lists and spam are kept as messages without an answer."""

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
        *,
        mail_tokens: Iterable[str] = (),
        max_bytes: int = 25 * 1024 * 1024,
    ) -> None:
        """`mail_tokens` are the `api.tokens` of role `mail`; `max_bytes` is `email.max_bytes`."""
        self.account = account
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
        self._tokens = [token for token in (mailbox.token.get_secret_value(), *mail_tokens) if token]
        self._max_bytes = max_bytes

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.post(f"/channels/email/{quote(self.account)}", self._receive)]

    def secrets(self) -> list[str]:
        box = self._mailbox
        kept = [box.imap_password.get_secret_value(), box.smtp_password.get_secret_value()]
        return [secret for secret in (*self._tokens, *kept) if secret]

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def close(self) -> None:
        """Nothing is open."""

    async def forget(self, session: AsyncSession, value: str) -> None:
        """Nothing is kept here but the inbox and its files."""

    async def take(self, raw: bytes) -> str:
        """Store one mail, however it came: `stored`, `seen_before` or `set_aside`. Errors mean: not stored."""
        now = clock.now()
        try:
            mail = await asyncio.to_thread(parse_mail, raw, self._mailbox.address)
        except Unparsable as error:
            digest = hashlib.sha256(raw).hexdigest()[:32]
            unreadable = InboundMessage(
                self.name, self.account, f"unreadable:{digest}", "unknown", "", received_at=now, raw=raw
            )
            await self._writer.put_aside(unreadable, str(error))
            return "set_aside"
        message = InboundMessage(
            channel=self.name,
            account=self.account,
            external_id=mail.identity,
            sender=mail.sender,
            text=_storable(mail.text or mail.subject),
            received_at=now,
            attachments=tuple([await self._keep(file) for file in mail.files[:MAX_FILES]]),
            in_reply_to=mail.in_reply_to,
            raw=raw,
            event=mail.automatic if mail.automatic in EVENTS else None,
            facts=_facts(mail),
        )
        return "stored" if (await self._writer.put(message)).new else "seen_before"

    async def send(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        """One mail to one resident; its proof is the server's acceptance, its id the row's."""
        box = self._mailbox
        if not box.smtp_host:
            raise PermanentFailure("smtp_host of this mailbox is empty")
        files = await asyncio.to_thread(self._load, message.attachments)
        try:
            mail = write_mail(message, attempt, box.address, clock.now(), files)
        except (ValueError, IndexError):
            raise PermanentFailure("the recipient is no mail address") from None
        try:
            await aiosmtplib.send(
                mail,
                sender=box.address,
                recipients=[message.recipient],
                hostname=box.smtp_host,
                port=box.smtp_port,
                username=box.smtp_user or None,
                password=box.smtp_password.get_secret_value() if box.smtp_user else None,
                use_tls=box.smtp_security == "tls",
                start_tls=box.smtp_security == "starttls",
                timeout=TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _send_error(error) from None
        return Sent(message_id(attempt.outbox_id, message.account, box.address))

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


def _facts(mail: Mail) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "subject": mail.subject,
        "name": mail.sender_name,
        "message_id": mail.message_id,
        "thread": mail.thread,
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
        }
    return {key: _storable(value) if isinstance(value, str) else value for key, value in facts.items()}


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL, and half a surrogate pair cannot be written anywhere."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _send_error(error: Exception) -> TemporaryFailure | PermanentFailure:
    """A 5xx about this mail or this person is for good; a refused login is ours to mend, so it waits."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return TemporaryFailure("the mail server refuses smtp_user and smtp_password")
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [refused.code for refused in error.recipients]
        kind = PermanentFailure if all(code >= 500 for code in codes) else TemporaryFailure
        return kind(f"the mail server refuses the recipient ({', '.join(map(str, codes))})")
    if isinstance(error, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPServerDisconnected):
        return TemporaryFailure(f"the mail server cannot be reached ({type(error).__name__})")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        kind = PermanentFailure if error.code >= 500 else TemporaryFailure
        return kind(f"the mail server refuses the mail ({error.code})")
    return TemporaryFailure(f"the mail server cannot be reached ({type(error).__name__})")
