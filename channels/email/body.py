"""What a mail says and carries: its text, chosen among plain and HTML, and its files, winmail.dat opened."""

import email
import email.message
import re
from dataclasses import dataclass
from email.utils import unquote as unquote_parameter
from urllib.parse import unquote_to_bytes

from channels.email.decode import decode_bytes, decode_header
from channels.email.html import html_to_text
from channels.email.tnef import NotTnef, read_tnef

MAX_PARTS = 300
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_MARK = re.compile(rb"(?im)^--(\S{1,70})\r?\n(?=content-)")
_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{2,30})", re.IGNORECASE)
_NO_HTML = re.compile(
    r"(?i)(不支持\s*html|支持\s*html\s*的|html\s*(格式|邮件).{0,20}(查看|阅读|显示)|does not support html|html[- ]?(capable|enabled|compatible))"
)
"""What programs write into the plain part when they only meant the other."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a mail, as the mail names it."""

    name: str
    content: bytes


class Body:
    """Collects text and files from the parts of a mail."""

    def __init__(self) -> None:
        self.text = ""
        self.nested = ""
        """The words of forwarded mails; they count when nothing was added to them."""
        self.files: list[File] = []
        self.parts = 0
        self._spare = ""
        """The text of a part that calls itself a file; it counts when there is no other."""

    @property
    def words(self) -> str:
        return self.text or self.nested or self._spare

    def read(self, part: email.message.Message, with_text: bool = True) -> None:
        """Take what this part holds. `with_text` False: only its files."""
        self.parts += 1
        if self.parts > MAX_PARTS:
            return
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global") and part.is_multipart():
            self._read_nested(part, with_text)
        elif kind == "multipart/alternative" and part.is_multipart():
            self._read_best(children(part), with_text)
        elif part.is_multipart():
            for child in children(part):
                self.read(child, with_text)
        else:
            self._read_leaf(part, kind, with_text)

    def _read_best(self, choices: list[email.message.Message], with_text: bool) -> None:
        """The plain text where it says something, else the richest; files inside are kept either way."""
        before = self.text
        plain = [part for part in choices if part.get_content_type() == "text/plain"]
        others = [part for part in choices if part.get_content_type() != "text/plain"]
        for part in plain:
            self.read(part, with_text and self.text == before)
        said = self.text[len(before) :]
        if _NO_HTML.search(said) and len(said) < 300:
            self.text = before
        for part in reversed(others):
            self.read(part, with_text and self.text == before)
        if self.text == before and said:
            self.text = f"{before}{said}"

    def _read_leaf(self, part: email.message.Message, kind: str, with_text: bool) -> None:
        name = file_name(part)
        content = content_of(part)
        if kind.startswith("multipart/"):
            self._read_unmarked(content, with_text)
            return
        disposition = str(part.get("Content-Disposition", "")).strip().lower()
        is_text = kind in ("text/plain", "text/html", "text/enriched")
        if kind in _TNEF or name.lower() == "winmail.dat":
            self._read_tnef(name, content, with_text)
        elif is_text and not disposition.startswith("attachment") and not name:
            self._add(_text_of(part, kind, content) if with_text else "")
        elif content and not kind.startswith("message/"):
            if is_text and not self._spare:
                self._spare = _text_of(part, kind, content)
            self.files.append(File(name or kind.replace("/", "."), content))

    def _read_unmarked(self, content: bytes, with_text: bool) -> None:
        """Parts under another mark than the header says: the mark that stands there, else all of it as text."""
        mark = _MARK.search(content)
        if mark:
            head = b'Content-Type: multipart/mixed; boundary="' + mark.group(1) + b'"\r\n\r\n'
            whole = email.message_from_bytes(head + content)
            if whole.is_multipart():
                self.read(whole, with_text)
                return
        if with_text:
            self._add(decode_bytes(content, None))

    def _read_tnef(self, name: str, content: bytes, with_text: bool) -> None:
        try:
            opened = read_tnef(content)
        except NotTnef:
            self.files.append(File(name or "winmail.dat", content))
            return
        self.files += [File(name, inside) for name, inside in opened.files]
        said = opened.text or (html_to_text(opened.html) if opened.html else "")
        if with_text and not self.text:
            self._add(said)

    def _read_nested(self, part: email.message.Message, with_text: bool) -> None:
        """A forwarded mail: its words are kept apart; its files are files."""
        for child in children(part):
            inner = Body()
            inner.parts = self.parts
            inner.read(child, with_text)
            self.parts = inner.parts
            if with_text:
                self.nested = "\n".join(filter(None, [self.nested, decode_header(child.get("Subject")), inner.words]))
            self.files += inner.files

    def _add(self, text: str) -> None:
        if text.strip():
            self.text = f"{self.text}\n{text}".strip()


def children(part: email.message.Message) -> list[email.message.Message]:
    """The parts of a part."""
    payload = part.get_payload()
    items = payload if isinstance(payload, list) else []
    return [item for item in items if isinstance(item, email.message.Message)]


def content_of(part: email.message.Message) -> bytes:
    """The bytes of a leaf, its transfer encoding undone."""
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def charset_of(part: email.message.Message) -> str | None:
    """The label, or None where it is absent or broken."""
    try:
        return part.get_content_charset()
    except (LookupError, UnicodeError, ValueError, TypeError):
        return None


def file_name(part: email.message.Message) -> str:
    """RFC 2231 as it should be, or RFC 2047 where it should not be, percent signs, or raw bytes."""
    for parameter, header in (("filename", "content-disposition"), ("name", "content-type")):
        if continued := _joined_name(str(part.get(header, "")), parameter):
            return _without_percent(decode_header(continued))[:200]
        try:
            found = part.get_param(parameter, None, header)
        except (LookupError, UnicodeError, ValueError, TypeError):
            continue
        if isinstance(found, tuple):
            raw = str(found[2]).encode("latin-1", "replace")
            name = decode_bytes(raw, found[0])
        else:
            name = unquote_parameter(str(found or ""))
        if name.strip():
            return _without_percent(decode_header(name))[:200]
    return ""


def _joined_name(header: str, parameter: str) -> str:
    """A name in numbered pieces, joined before it is decoded: programs cut in the middle of a character."""
    pieces = re.findall(rf'(?i)\b{parameter}\*(\d{{1,2}})\*?=("[^"]*"|[^;\s]*)', header)
    whole = "".join(value.strip('"') for _, value in sorted(pieces, key=lambda piece: int(piece[0])))
    charset, quote, rest = whole.partition("'")
    if not quote or "'" not in rest:
        return whole
    return decode_bytes(unquote_to_bytes(rest.partition("'")[2]), charset)


def _without_percent(name: str) -> str:
    """Some programs write a percent-coded name without saying so."""
    if "%" not in name or not name.isascii():
        return name
    decoded = decode_bytes(unquote_to_bytes(name), None)
    return name if decoded.isascii() or "\ufffd" in decoded else decoded


def _text_of(part: email.message.Message, kind: str, content: bytes) -> str:
    label = charset_of(part)
    if kind != "text/html":
        return decode_bytes(content, label)
    meta = None if label else _META.search(content[:2048])
    return html_to_text(decode_bytes(content, meta.group(1).decode("ascii") if meta else label))
