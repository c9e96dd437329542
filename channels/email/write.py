"""Our own mails: text and a sober HTML part, threaded, marked as ours, with an id that a retry does not change."""

import html
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from channels.base import Attempt
from channels.email.parse import OWN_HEADER
from core.clock import local
from core.message import OutboundMessage

BY_PEOPLE = frozenset({"staff", "reply", "progress"})
"""Origins that a person wrote or approved; everything else is marked as sent by a machine."""


def message_id(outbox_id: int, account: str, address: str) -> str:
    """The same for each try of a row, so that a mail server may drop the second."""
    return f"<huiyin.{outbox_id}.{account.encode().hex()[:24]}@{address.rpartition('@')[2]}>"


def write_mail(
    message: OutboundMessage, attempt: Attempt, address: str, now: datetime, files: list[tuple[str, str, bytes]]
) -> EmailMessage:
    """The mail to one resident. `files` are name, type and bytes. ValueError for a recipient that is no address."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(addr_spec=address)
    mail["To"] = Address(addr_spec=message.recipient)
    mail["Subject"] = _subject(message, attempt)
    mail["Date"] = format_datetime(local(now))
    mail["Message-ID"] = message_id(attempt.outbox_id, message.account, address)
    if message.in_reply_to and message.in_reply_to.startswith("<"):
        mail["In-Reply-To"] = _one_line(message.in_reply_to)
        mail["References"] = _one_line(message.in_reply_to)
    mail["Auto-Submitted"] = "no" if message.origin in BY_PEOPLE else "auto-replied"
    mail[OWN_HEADER] = "1"
    text = message.text + ("".join(f"\n· {choice}" for choice in message.choices))
    mail.set_content(text)
    paragraphs = "".join(f"<p>{html.escape(line)}</p>\n" for line in text.split("\n") if line.strip())
    mail.add_alternative(f'<!doctype html><html lang="zh"><body>\n{paragraphs}</body></html>', subtype="html")
    for name, type_, content in files:
        main, _, sub = type_.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub or "octet-stream", filename=_one_line(name))
    return mail


def _subject(message: OutboundMessage, attempt: Attempt) -> str:
    """The resident's own subject where service gives it, else number and title, else the first words."""
    notice = attempt.notice
    given = notice.get("subject") or " ".join(filter(None, (notice.get("number"), notice.get("title"))))
    return _one_line(given or message.text)[:120]


def _one_line(text: str) -> str:
    """Nothing that a resident writes may begin a new header."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
