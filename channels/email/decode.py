"""Charsets that lie, and headers in broken forms: what a mail says, as far as it can be known."""

import base64
import binascii
import quopri
import re

ALIASES = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030", "gb_2312-80": "gb18030",
    "hz-gb-2312": "hz", "utf8": "utf-8", "unicode-1-1-utf-7": "utf-7", "iso-8859-8-i": "iso-8859-8",
    "cp-850": "cp850", "ansi_x3.4-1968": "ascii", "x-unknown": "", "unknown-8bit": "", "default": "",
}
"""`gb2312` means GB18030: nobody's mail program keeps to the smaller set."""

_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?]*)?\?([bBqQ])\?(.*?)\?=", re.DOTALL)


def decode_bytes(content: bytes, charset: str | None) -> str:
    """The text, by its label where that can be true, else by what the bytes look like. Never fails."""
    label = ALIASES.get((charset or "").strip().strip("\"'").lower(), (charset or "").strip().strip("\"'"))
    guesses = [label] if label and not _may_lie(label) else []
    for name in (*guesses, "utf-8", label, "gb18030"):
        try:
            return content.decode(name) if name else content.decode("utf-8")
        except (UnicodeError, LookupError, ValueError):
            continue
    return content.decode("utf-8", "replace")


def _may_lie(label: str) -> bool:
    """Programs write these without looking; real UTF-8 behind them is no accident."""
    return label.lower() in ("us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252")


def decode_header(value: object) -> str:
    """A header's text on one line: encoded words joined before decoding, raw 8-bit bytes repaired."""
    text = str(value if value is not None else "")
    raw = text.encode("utf-8", "surrogateescape")
    if any(byte > 127 for byte in raw):
        text = decode_bytes(raw, None)
    return " ".join(_decode_words(text).split())


def _decode_words(text: str) -> str:
    """A character may be split over two encoded words, so neighbours of one charset are joined as bytes."""
    parts: list[str] = []
    pending, charset, at = b"", "", 0
    for match in _WORD.finditer(text):
        between = text[at : match.start()]
        if between.strip() or (pending and match.group(1).lower() != charset):
            parts += [decode_bytes(pending, charset), between if between.strip() else ""]
            pending = b""
        elif not pending:
            parts.append(between if not parts else "")
        pending += _word_bytes(match.group(2), match.group(3))
        charset, at = match.group(1).lower(), match.end()
    if pending:
        parts.append(decode_bytes(pending, charset))
    return "".join([*parts, text[at:]])


def _word_bytes(encoding: str, body: str) -> bytes:
    content = body.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(content, header=True)
    try:
        return base64.b64decode(content + b"=" * (-len(content) % 4))
    except (binascii.Error, ValueError):
        return content
