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

_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?]*)?\?([bBqQ])\?(.*?)(?:\?=|$)", re.DOTALL)
_IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
_HIGH = re.compile(rb"[\x80-\xff]+")


def decode_bytes(content: bytes, charset: str | None) -> str:
    """The text, by its label where that can be true, else by what the bytes look like. Never fails."""
    given = (charset or "").strip().strip("\"'")
    label = ALIASES.get(given.lower(), given)
    for name in _guesses(content, label):
        try:
            return content.decode(name)
        except (UnicodeError, LookupError, ValueError):
            if name == "utf-8" and (text := _nearly_utf8(content)):
                return text
    return content.decode(_least_loss(content), "replace")


def _guesses(content: bytes, label: str) -> tuple[str, ...]:
    """Charsets to try, best first."""
    chinese = label.lower() == "gb18030"
    if chinese and _is_chinese_utf8(content):
        return ("utf-8",)
    if label and not _may_lie(label):
        return (label, "utf-8", "gb18030")
    if label and not _looks_like_gb(content):
        return ("utf-8", label, "gb18030")
    return ("utf-8", "gb18030", label or "utf-8")


def _is_chinese_utf8(content: bytes) -> bool:
    """GBK text is valid UTF-8 with Chinese in it by a very rare accident only."""
    try:
        return bool(_IDEOGRAPH.search(content.decode("utf-8")))
    except UnicodeError:
        return False


def _nearly_utf8(content: bytes) -> str:
    """Chinese UTF-8 in which a few bytes are damaged, or ""; what GBK gives here is mostly unreadable."""
    text = content.decode("utf-8", "replace")
    return text if len(_IDEOGRAPH.findall(text)) > 3 * text.count("\ufffd") else ""


def _looks_like_gb(content: bytes) -> bool:
    """High bytes in pairs, most of them common characters: no Western text looks so."""
    runs = _HIGH.findall(content)
    pairs = sum(len(run) // 2 for run in runs)
    if not pairs or any(len(run) % 2 for run in runs):
        return False
    common = sum(0xB0 <= run[at] <= 0xD7 for run in runs for at in range(0, len(run), 2))
    return common * 2 > pairs and pairs > 1


def _least_loss(content: bytes) -> str:
    """Cut or damaged text: the charset in which fewer characters are unreadable."""
    lost = {name: content.decode(name, "replace").count("\ufffd") for name in ("utf-8", "gb18030")}
    return min(lost, key=lambda name: lost[name])


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
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
    if len(letters) % 4 == 1:
        letters = letters[:-1]  # Cut in the middle: what is whole can still be read.
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))
    except (binascii.Error, ValueError):
        return content
