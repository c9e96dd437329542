"""A raw mail → its parts: who, about what, own words, files, thread, and whether a machine wrote it."""

import email.message
import email.parser
import email.policy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import getaddresses

from channels.email.decode import decode_bytes, decode_header
from channels.email.html import html_to_text
from channels.email.quotation import own_words

MAX_PARTS = 300
MAX_TEXT = 200_000
OWN_HEADER = "X-Huiyin-Office"
_TICKET = re.compile(r"HY\d{8}-\d{5,}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")
_ADDRESS = re.compile(r"[^@\s<>\"(),;:]+@[^@\s<>\"(),;:]+")


class _AsSent(email.policy.Compat32):
    """Headers as they came, 8-bit bytes and all: the library would replace what it does not know."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


class Unparsable(Exception):
    """Not a mail, or one without a sender. Keep it raw, set it aside."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a mail, as the mail names it."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a returned mail says: which of our mails, what code, in whose words."""

    message_id: str | None
    status: str | None
    permanent: bool


@dataclass(slots=True)
class Mail:
    """A mail, read."""

    sender: str
    sender_name: str
    subject: str
    text: str
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
    def thread(self) -> str | None:
        """The first mail of the thread."""
        return next(iter([*self.references, self.in_reply_to, self.message_id]), None)

    @property
    def ticket_number(self) -> str | None:
        """From the subject, or from a plus-address of ours."""
        found = _TICKET.search(" ".join([self.subject, *self.recipients]).upper())
        return found.group() if found else None

    @property
    def identity(self) -> str:
        """Message-ID and content: ids are sometimes missing, and sometimes used twice."""
        content = [self.sender, self.subject, self.date, self.text]
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
    name, sender = _first_address(message)
    if not sender:
        raise Unparsable("no sender")
    body = _Body()
    body.read(message)
    mail = Mail(
        sender=sender,
        sender_name=name,
        subject=decode_header(message.get("Subject"))[:500],
        text=own_words(body.text)[:MAX_TEXT] or body.nested[:MAX_TEXT],
        message_id=_ids(message, "Message-ID")[0] if _ids(message, "Message-ID") else None,
        in_reply_to=_ids(message, "In-Reply-To")[0] if _ids(message, "In-Reply-To") else None,
        references=_ids(message, "References")[:50],
        recipients=_recipients(message),
        date=decode_header(message.get("Date"))[:100],
        files=body.files,
        truncated=len(body.text) > MAX_TEXT or body.parts > MAX_PARTS,
    )
    mail.bounce = _read_bounce(message, mail, body.text)
    mail.automatic = "bounce" if mail.bounce else _automatic(message, mail, own_address)
    return mail


class _Body:
    """Collects text and files from the parts of a mail."""

    def __init__(self) -> None:
        self.text = ""
        self.nested = ""
        self.files: list[File] = []
        self.parts = 0

    def read(self, part: email.message.Message) -> None:
        self.parts += 1
        if self.parts > MAX_PARTS:
            return
        kind = part.get_content_type()
        if kind == "message/rfc822" and part.is_multipart():
            self._read_nested(part)
        elif kind == "multipart/alternative" and part.is_multipart():
            self._read_best(_children(part))
        elif part.is_multipart():
            for child in _children(part):
                self.read(child)
        else:
            self._read_leaf(part, kind)

    def _read_best(self, choices: list[email.message.Message]) -> None:
        """The plain text where it says something, else the HTML; files inside are kept either way."""
        before = self.text
        for choice in sorted(choices, key=lambda part: part.get_content_type() != "text/plain"):
            if self.text == before or not choice.get_content_type().startswith("text/"):
                self.read(choice)

    def _read_leaf(self, part: email.message.Message, kind: str) -> None:
        name = _file_name(part)
        content = part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else b""
        disposition = str(part.get("Content-Disposition", "")).strip().lower()
        if kind.startswith("text/") and not disposition.startswith("attachment") and not name:
            text = decode_bytes(content, part.get_content_charset())
            text = html_to_text(text) if kind == "text/html" else text
            self.text = f"{self.text}\n{text}".strip() if text.strip() else self.text
        elif content and not kind.startswith("message/"):
            self.files.append(File(name or f"{kind.replace('/', '.')}", content))

    def _read_nested(self, part: email.message.Message) -> None:
        """A forwarded mail: its words count when the resident added none; its files are files."""
        for child in _children(part):
            inner = _Body()
            inner.parts = self.parts
            inner.read(child)
            self.parts = inner.parts
            self.nested = "\n".join(filter(None, [self.nested, decode_header(child.get("Subject")), inner.text]))
            self.files += inner.files


def _children(part: email.message.Message) -> list[email.message.Message]:
    payload = part.get_payload()
    items = payload if isinstance(payload, list) else []
    return [item for item in items if isinstance(item, email.message.Message)]


def _file_name(part: email.message.Message) -> str:
    """RFC 2231 as it should be, or RFC 2047 where it should not be, or raw bytes."""
    try:
        name = part.get_filename()
    except (LookupError, UnicodeError, ValueError, TypeError):
        name = None
    return decode_header(name)[:200] if name else ""


def _first_address(message: email.message.Message) -> tuple[str, str]:
    for header in ("From", "Sender", "Reply-To", "Return-Path"):
        for name, address in _addresses(message, header):
            return name, address
    return "", ""


def _addresses(message: email.message.Message, header: str) -> Iterator[tuple[str, str]]:
    for value in message.get_all(header, []):
        found = False
        for name, address in getaddresses([str(value).replace("\r", " ").replace("\n", " ")]):
            match = _ADDRESS.fullmatch(address.strip())
            if match:
                found = True
                yield decode_header(name), address.strip().lower()
        if not found:
            for match in _ADDRESS.finditer(decode_header(value)):
                yield "", match.group().lower()


def _recipients(message: email.message.Message) -> list[str]:
    headers = ("Delivered-To", "X-Original-To", "To", "Cc")
    found = [address for header in headers for _, address in _addresses(message, header)]
    return list(dict.fromkeys(found))[:200]


def _ids(message: email.message.Message, header: str) -> list[str]:
    return [found for value in message.get_all(header, []) for found in _MESSAGE_ID.findall(str(value))]


_AUTO_SUBJECT = re.compile(
    r"(?i)^\s*(自动回复|自动答复|外出自动回复|auto(matic)?[ -]?(reply|response)|out of (the )?office|vacation)"
)
_BOUNCE_SUBJECT = re.compile(
    r"(?i)(系统退信|退信|投递失败|邮件无法投递|undeliver(ed|able)|delivery (status notification|failure)"
    r"|returned mail|failure notice|mail delivery (failed|failure))"
)
_DAEMONS = re.compile(r"(?i)^(mailer-daemon|postmaster|mail-daemon|mailerdaemon|mail\.daemon)@")
_STATUS = re.compile(r"\b([45]\.\d{1,3}\.\d{1,3})\b")


def _automatic(message: email.message.Message, mail: Mail, own_address: str) -> str | None:
    """Which machine wrote it; the first rule that holds."""
    precedence = str(message.get("Precedence", "")).strip().lower()
    submitted = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    rules = (
        ("own", mail.sender == own_address.lower() or OWN_HEADER in message),
        ("auto_reply", submitted not in ("no", "")),
        ("auto_reply", precedence in ("auto_reply", "auto-reply")),
        ("auto_reply", any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))),
        ("auto_reply", bool(_AUTO_SUBJECT.match(mail.subject))),
        ("auto_reply", bool(_DAEMONS.match(mail.sender))),
        ("list", "List-Id" in message or precedence in ("bulk", "list", "junk")),
        ("spam", str(message.get("X-Spam-Flag", "")).strip().lower() == "yes"),
    )
    return next((kind for kind, holds in rules if holds), None)


def _read_bounce(message: email.message.Message, mail: Mail, text: str) -> Bounce | None:
    """RFC 3464, or the providers' own words from a daemon's address."""
    report = message.get_content_type() == "multipart/report"
    is_delivery = report and "delivery-status" in str(message.get("Content-Type", "")).lower()
    from_daemon = bool(_DAEMONS.match(mail.sender)) or str(message.get("Return-Path", "")).strip() == "<>"
    if not (is_delivery or (from_daemon and _BOUNCE_SUBJECT.search(mail.subject))):
        return None
    parts = list(message.walk())
    status_part = "\n".join(_plain(part) for part in parts if part.get_content_type() == "message/delivery-status")
    returned = [found for part in parts[1:] for found in _ids(part, "Message-ID")]
    if not returned:
        returned = re.findall(r"(?im)^message-id:\s*(<[^<>\s]+>)", "\n".join(map(_plain, parts)))
    action = re.search(r"(?im)^action:\s*(\w+)", status_part)
    code = re.search(r"(?im)^status:\s*([245]\.\d+\.\d+)", status_part) or _STATUS.search(text)
    status = code.group(1) if code else None
    permanent = action.group(1).lower() == "failed" if action else not (status or "5").startswith("4")
    return Bounce(returned[0] if returned else None, status, permanent)


def _plain(part: email.message.Message) -> str:
    if part.is_multipart():
        return "\n".join(str(child) for child in _children(part)) if "status" in part.get_content_type() else ""
    content = part.get_payload(decode=True)
    return decode_bytes(content, part.get_content_charset()) if isinstance(content, bytes) else ""
