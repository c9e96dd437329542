"""Our own mails: text and a sober HTML part, threaded, marked as ours, with an id that a retry does not change."""

import html
import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from channels.base import Attempt
from channels.email.parse import OWN_HEADER
from channels.text import with_choices
from core.clock import local
from core.message import OutboundMessage

BY_PEOPLE = frozenset({"staff", "reply", "progress"})
"""Origins that a person wrote or approved; everything else is marked as sent by a machine."""

_ID = re.compile(r"<[^<>\s]{1,500}>")
_LINK = re.compile(r"https?://[^\s<>\"'，。；！？、）】]+")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a mailbox says of itself: its address, the mail's id, and whether it takes name+anything@…"""

    address: str
    message_id: str
    plus_addresses: bool = False


def message_id(outbox_id: int, seal: str, address: str) -> str:
    """The same for each try of a row, so that a mail server may drop the second."""
    return f"<huiyin.{outbox_id}.{seal}@{address.rpartition('@')[2]}>"


def write_mail(
    message: OutboundMessage, attempt: Attempt, envelope: Envelope, now: datetime, files: list[tuple[str, str, bytes]]
) -> EmailMessage:
    """The mail to one resident. `files` are name, type and bytes. ValueError for a recipient that is no address.

    Of `attempt.notice` are used: `subject`, `office` (the name beside our address), `number`, `in_reply_to` and
    `references` (the resident's own mail and its thread).
    """
    notice = attempt.notice
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=_one_line(notice.get("office", "")), addr_spec=envelope.address)
    mail["To"] = Address(addr_spec=message.recipient)
    if envelope.plus_addresses and (number := notice.get("number")):
        name, _, domain = envelope.address.rpartition("@")
        mail["Reply-To"] = Address(addr_spec=f"{name}+{_one_line(number)}@{domain}")
    mail["Subject"] = _subject(message, attempt)
    mail["Date"] = format_datetime(local(now))
    mail["Message-ID"] = envelope.message_id
    _thread(mail, message, attempt)
    mail["Auto-Submitted"] = "no" if message.origin in BY_PEOPLE else "auto-replied"
    if message.origin not in BY_PEOPLE:
        mail["X-Auto-Response-Suppress"] = "All"
    mail[OWN_HEADER] = "1"
    text = with_choices(message.text, message.choices)
    mail.set_content(text)
    mail.add_alternative(_html(text), subtype="html")
    for name, type_, content in files:
        main, _, sub = type_.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub or "octet-stream", filename=_one_line(name))
    return mail


def _thread(mail: EmailMessage, message: OutboundMessage, attempt: Attempt) -> None:
    """The mail that is answered, and the ones before it: the first and the last of a long thread."""
    answered = _ID.match(attempt.notice.get("in_reply_to") or message.in_reply_to or "")
    if answered is None:
        return
    mail["In-Reply-To"] = answered.group()
    before = [found for found in _ID.findall(attempt.notice.get("references", "")) if found != answered.group()]
    mail["References"] = " ".join([*before[:1], *before[1:][-8:], answered.group()])


def _html(text: str) -> str:
    """The same words, nothing fetched from anywhere; addresses of pages can be clicked."""
    lines = [_LINK.sub(r'<a href="\g<0>">\g<0></a>', html.escape(line)) for line in text.split("\n") if line.strip()]
    paragraphs = "".join(f"<p>{line}</p>\n" for line in lines)
    return f'<!doctype html><html lang="zh"><head><meta charset="utf-8"></head><body>\n{paragraphs}</body></html>'


def _subject(message: OutboundMessage, attempt: Attempt) -> str:
    """The resident's own subject where service gives it, else number and title, else the first words."""
    notice = attempt.notice
    given = notice.get("subject") or " ".join(filter(None, (notice.get("number"), notice.get("title"))))
    return _one_line(given or message.text)[:120]


def _one_line(text: str) -> str:
    """Nothing that a resident writes may begin a new header."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
