"""Connections to a mailbox's SMTP server: kept open for a while, used by one mail at a time, verified by TLS."""

import asyncio
import ssl
from contextlib import suppress
from email.message import EmailMessage

import aiosmtplib

from channels.base import PermanentFailure, TemporaryFailure
from channels.email.settings import Mailbox

TIMEOUT_S = 60.0
KEPT_S = 20.0
"""A connection that was idle for longer is closed: servers hang up without a word after a minute or so."""
MAX_OPEN = 4
"""Providers count connections; the outbox has as many workers."""


class SmtpPool:
    """The connections to one server. A mail is handed over once; what went wrong says what to do next."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._idle: list[aiosmtplib.SMTP] = []
        self._timers: dict[aiosmtplib.SMTP, asyncio.TimerHandle] = {}
        self._slots = asyncio.Semaphore(MAX_OPEN)
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, mail: EmailMessage, sender: str, recipient: str) -> None:
        """Hand one mail to the server. Raises TemporaryFailure or PermanentFailure."""
        async with self._slots:
            client = await self._open()
            try:
                await client.send_message(mail, sender=sender, recipients=[recipient])
            except (aiosmtplib.SMTPException, OSError) as error:
                if client.is_connected and isinstance(error, aiosmtplib.SMTPResponseException):
                    await self._give_back(client)
                else:
                    client.close()
                raise send_error(error) from None
            except BaseException:
                client.close()
                raise
            await self._give_back(client)

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        while self._idle:
            await self._say_goodbye(self._take_idle())

    async def _open(self) -> aiosmtplib.SMTP:
        """An idle connection that still answers, or a new one."""
        while self._idle:
            client = self._take_idle()
            try:
                await client.rset()
                return client
            except (aiosmtplib.SMTPException, OSError):
                client.close()
        client = self._new()
        try:
            await client.connect()
        except ssl.SSLCertVerificationError as error:
            client.close()
            raise TemporaryFailure(f"the mail server's certificate is not valid: {error.verify_message}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise TemporaryFailure("the mail server's certificate is not valid") from None
            raise _connect_error(error) from None
        return client

    def _new(self) -> aiosmtplib.SMTP:
        box = self._mailbox
        return aiosmtplib.SMTP(
            hostname=box.smtp_host,
            port=box.smtp_port,
            username=box.smtp_user or None,
            password=box.smtp_password.get_secret_value() if box.smtp_user else None,
            local_hostname=box.address.rpartition("@")[2],
            use_tls=box.smtp_security == "tls",
            start_tls=box.smtp_security == "starttls",
            timeout=TIMEOUT_S,
        )

    def _take_idle(self) -> aiosmtplib.SMTP:
        client = self._idle.pop()
        self._timers.pop(client).cancel()
        return client

    async def _give_back(self, client: aiosmtplib.SMTP) -> None:
        self._idle.append(client)
        self._timers[client] = asyncio.get_running_loop().call_later(KEPT_S, self._expire, client)

    def _expire(self, client: aiosmtplib.SMTP) -> None:
        self._idle.remove(client)
        self._timers.pop(client)
        task = asyncio.get_running_loop().create_task(self._say_goodbye(client))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _say_goodbye(self, client: aiosmtplib.SMTP) -> None:
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=2)
        client.close()


def _connect_error(error: Exception) -> TemporaryFailure:
    """Before a mail was handed over nothing is refused for good: our own settings are what can be mended."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return TemporaryFailure("the mail server refuses smtp_user and smtp_password (many providers want an app password)")
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return TemporaryFailure("the mail server does not offer what smtp_security or the login needs")
    return TemporaryFailure(f"the mail server cannot be reached ({type(error).__name__})")


def send_error(error: Exception) -> TemporaryFailure | PermanentFailure:
    """A 5xx about this mail or this person is for good; what concerns the connection waits."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [refused.code for refused in error.recipients]
        kind = PermanentFailure if all(code >= 500 for code in codes) else TemporaryFailure
        return kind(f"the mail server refuses the recipient ({', '.join(map(str, codes))})")
    if isinstance(error, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPServerDisconnected):
        return TemporaryFailure(f"the mail server hung up ({type(error).__name__})")
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return TemporaryFailure(f"the mail server refuses the mailbox's own address as sender ({error.code})")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        kind = PermanentFailure if error.code >= 500 else TemporaryFailure
        return kind(f"the mail server refuses the mail ({error.code})")
    return TemporaryFailure(f"the mail server cannot be reached ({type(error).__name__})")
