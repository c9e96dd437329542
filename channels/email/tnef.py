"""winmail.dat, Outlook's own envelope (MS-OXTNEF): the files inside, and the text where the mail has none."""

import struct
from dataclasses import dataclass, field

from channels.email.decode import decode_bytes

SIGNATURE = 0x223E9F78
BODY, BODY_PROPERTIES = 0x800C, 0x9003
FILE_BEGINS, FILE_NAME, FILE_CONTENT, FILE_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
CODE_PAGE = 0x9007
TEXT, HTML, LONG_NAME, FILE_OBJECT = 0x1000, 0x1013, 0x3707, 0x3701
_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 20: 8, 64: 8, 72: 16}
"""Sizes of the property types that have one; the two-byte ones are padded to four."""
_VARIABLE = frozenset({13, 30, 31, 258})
MAX_FILES = 200


class NotTnef(Exception):
    """The bytes are no such envelope: keep them as the file they came as."""


@dataclass(slots=True)
class Opened:
    """What was inside."""

    text: str = ""
    html: str = ""
    files: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class _File:
    name: str = ""
    long_name: str = ""
    content: bytes = b""


def read_tnef(content: bytes) -> Opened:
    """Open the envelope. What is cut off or damaged gives what could be read before."""
    if len(content) < 6 or struct.unpack_from("<I", content)[0] != SIGNATURE:
        raise NotTnef
    opened, files, charset, at = Opened(), list[_File](), "cp936", 6
    while at + 9 <= len(content):
        _level, name, _kind, size = struct.unpack_from("<BHHI", content, at)
        value = content[at + 9 : at + 9 + size]
        at += 9 + size + 2
        if len(value) < size:
            break
        if name == CODE_PAGE and size >= 4:
            charset = f"cp{struct.unpack_from('<I', value)[0]}"
        elif name == BODY:
            opened.text = decode_bytes(value.rstrip(b"\0"), charset)
        elif name == BODY_PROPERTIES:
            _read_body(opened, value, charset)
        elif name == FILE_BEGINS and len(files) < MAX_FILES:
            files.append(_File())
        elif files and name == FILE_NAME:
            files[-1].name = decode_bytes(value.rstrip(b"\0"), charset)
        elif files and name == FILE_CONTENT:
            files[-1].content = value
        elif files and name == FILE_PROPERTIES:
            _read_file(files[-1], value, charset)
    opened.files = [(file.long_name or file.name or "file", file.content) for file in files if file.content]
    return opened


def _read_body(opened: Opened, value: bytes, charset: str) -> None:
    for name, content in _properties(value):
        if name == TEXT and not opened.text:
            opened.text = _as_text(content, charset)
        elif name == HTML:
            opened.html = _as_text(content, charset)


def _read_file(file: _File, value: bytes, charset: str) -> None:
    for name, content in _properties(value):
        if name == LONG_NAME:
            file.long_name = _as_text(content, charset)
        elif name == FILE_OBJECT and not file.content:
            file.content = content[1]


def _as_text(content: tuple[int, bytes], charset: str) -> str:
    kind, raw = content
    text = raw.decode("utf-16-le", "replace") if kind == 31 else decode_bytes(raw, charset)
    return text.rstrip("\0")


def _properties(value: bytes) -> list[tuple[int, tuple[int, bytes]]]:
    """The MAPI properties of a block as (name, (type, bytes)); stops where it is damaged."""
    found: list[tuple[int, tuple[int, bytes]]] = []
    try:
        (count,), at = struct.unpack_from("<I", value), 4
        for _ in range(min(count, 5000)):
            kind, name = struct.unpack_from("<HH", value, at)
            at += 4
            if name >= 0x8000:
                at = _skip_name(value, at)
            values, many = 1, bool(kind & 0x1000)
            kind &= 0x0FFF
            if many or kind in _VARIABLE:
                (values,) = struct.unpack_from("<I", value, at)
                at += 4
            for _ in range(min(values, 5000)):
                if kind in _VARIABLE:
                    (size,) = struct.unpack_from("<I", value, at)
                    at += 4
                    if at + size > len(value):
                        return found
                else:
                    size = _FIXED[kind]
                found.append((name, (kind, value[at : at + size])))
                at += size + (-size % 4)
    except (struct.error, KeyError):
        return found
    return found


def _skip_name(value: bytes, at: int) -> int:
    """A named property: sixteen bytes of whose it is, then a number or a text."""
    (kind,) = struct.unpack_from("<I", value, at + 16)
    at += 20
    if kind == 0:
        return at + 4
    size: int = struct.unpack_from("<I", value, at)[0]
    return at + 4 + size + (-size % 4)
