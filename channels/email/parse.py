"""A raw mail → its parts: who, about what, own words, files, thread, and whether a machine wrote it."""

import email.message
import email.parser
import email.policy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import getaddresses

from channels.email.automatic import (
    ADDRESS,
    MESSAGE_ID,
    OWN_HEADER,
    TICKET,
    Bounce,
    is_no_reply,
    kind_of,
    read_bounce,
)
from channels.email.body import MAX_PARTS, Body, File
from channels.email.decode import decode_header
from channels.email.quotation import own_words

__all__ = ["OWN_HEADER", "Bounce", "File", "Mail", "Unparsable", "parse_mail"]

MAX_TEXT = 200_000
MAX_REFERENCES = 50
MAX_RECIPIENTS = 200
SHORT = 60
"""Fewer letters above an attached mail only introduce it."""
NAMELESS_DAEMON = "mailer-daemon@localhost.invalid"
_FORWARD = re.compile(r"(?i)^\s*(转发|转寄|转|fwd?)\s*[:：]")


class _AsSent(email.policy.Compat32):
    """Headers as they came, 8-bit bytes and all: the library would replace what it does not know."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


class Unparsable(Exception):
    """Not a mail, or one without a sender. Keep it raw, set it aside."""


@dataclass(slots=True)
class Mail:
    """A mail, read."""

    sender: str
    sender_name: str
    subject: str
    text: str
    """The resident's own words; the forwarded ones where he added none."""
    whole: str
    """All of it, quotations and signature included."""
    message_id: str | None
    in_reply_to: str | None
    references: list[str]
    recipients: list[str]
    date: str
    files: list[File] = field(default_factory=list)
    automatic: str | None = None
    """bounce·auto_reply·list·own·spam, or None: a person wrote it."""
    bounce: Bounce | None = None
    truncated: bool = False

    @property
    def thread(self) -> str:
        """The first mail of the thread; a mail without an id is a thread of its own."""
        return next(iter([*self.references, self.in_reply_to, self.message_id]), None) or self.identity

    @property
    def ticket_number(self) -> str | None:
        """From the subject, or from a plus-address of ours."""
        found = TICKET.search(" ".join([self.subject, *self.recipients]).upper())
        return found.group() if found else None

    @property
    def identity(self) -> str:
        """Message-ID and content: ids are sometimes missing, and sometimes used twice."""
        content = [self.sender, self.subject, self.date, self.whole]
        content += [hashlib.sha256(file.content).hexdigest() for file in self.files]
        digest = hashlib.sha256("\x1f".join(content).encode("utf-8", "replace")).hexdigest()[:32]
        return f"{(self.message_id or '')[:200]}:{digest}"


def parse_mail(raw: bytes, own_address: str) -> Mail:
    """Read a mail. Raises Unparsable; nothing else."""
    try:
        return _parse(raw, own_address)
    except Unparsable:
        raise
    except Exception as error:  # the library's parser has more holes than can be named
        raise Unparsable(f"not a mail: {type(error).__name__}") from error


def _parse(raw: bytes, own_address: str) -> Mail:
    message = email.parser.BytesParser(policy=_AsSent()).parsebytes(raw)
    name, sender = _find_sender(message)
    if not sender:
        raise Unparsable("no sender")
    body = Body()
    body.read(message)
    ids, replied = _ids(message, "Message-ID"), _ids(message, "In-Reply-To")
    subject = decode_header(message.get("Subject"))[:500]
    mail = Mail(
        sender=sender,
        sender_name=name,
        subject=subject,
        text=_own(body, subject)[:MAX_TEXT],
        whole=body.words[:MAX_TEXT],
        message_id=ids[0] if ids else None,
        in_reply_to=replied[0] if replied else None,
        references=_ids(message, "References")[:MAX_REFERENCES],
        recipients=_recipients(message),
        date=decode_header(message.get("Date"))[:100],
        files=body.files,
        truncated=len(body.words) > MAX_TEXT or body.parts > MAX_PARTS,
    )
    mail.bounce = read_bounce(message, sender, subject, body.words)
    mail.automatic = "bounce" if mail.bounce else kind_of(message, sender, subject, own_address)
    return mail


def _own(body: Body, subject: str) -> str:
    """His words; and the mails he passed on, which are what he has to say."""
    forwards = bool(_FORWARD.match(subject))
    own = own_words(body.text[:MAX_TEXT], forwards) if body.text else ""
    if body.nested and (not own or forwards or len(own) < SHORT):
        return f"{own}\n\n{body.nested}".strip()
    return own or body.words


def _find_sender(message: email.message.Message) -> tuple[str, str]:
    """Who wrote it. Where nobody reads the address in From, as with forms on web pages, who shall be answered."""
    found = [
        pair for header in ("From", "Sender", "Reply-To", "Return-Path") for pair in list(_addresses(message, header))[:1]
    ]
    if found and is_no_reply(found[0][1]):
        return next((pair for pair in _addresses(message, "Reply-To") if not is_no_reply(pair[1])), found[0])
    if not found and message.get_content_type() == "multipart/report":
        return "", NAMELESS_DAEMON
    return found[0] if found else ("", "")


def _addresses(message: email.message.Message, header: str) -> Iterator[tuple[str, str]]:
    for value in message.get_all(header, []):
        found = False
        for name, address in getaddresses([str(value).replace("\r", " ").replace("\n", " ")]):
            if ADDRESS.fullmatch(address.strip()):
                found = True
                yield decode_header(name), address.strip().lower()
        if not found:
            for match in ADDRESS.finditer(decode_header(value)):
                yield "", match.group().lower()


def _recipients(message: email.message.Message) -> list[str]:
    headers = ("Delivered-To", "X-Original-To", "To", "Cc")
    found = [address for header in headers for _, address in _addresses(message, header)]
    return list(dict.fromkeys(found))[:MAX_RECIPIENTS]


def _ids(message: email.message.Message, header: str) -> list[str]:
    return [found for value in message.get_all(header, []) for found in MESSAGE_ID.findall(str(value))]
