"""A letter as a sheet of paper (PDF) and as plain text.

Typst breaks Chinese lines by its rules and carries the characters that are used inside the file, so that every
reader shows them, rare ones in names too. What a letter says is handed to it as data: no word of it is markup.
"""

import asyncio
import json
import unicodedata
from functools import cache
from importlib.resources import files
from pathlib import Path

import typst

from core import clock
from core.errors import HuiyinError
from ticketing.letters import Sheet

TEMPLATE = Path(__file__).with_name("letter.typ")
VOID = "本文书已作废，以新的文书为准。"


UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Kinds of characters that no paper shows; some of them in an odd place make Typst fail."""


class NotDrawn(HuiyinError):
    """The sheet could not be made; the letter's text is there all the same."""

    status = 500
    title = "Not drawn"


def write(sheet: Sheet) -> str:
    """The letter as plain text."""
    head = [sheet.office, sheet.title, sheet.number, *([VOID] if sheet.is_void else [])]
    body = [sheet.addressee, *(f"　　{line}" for line in sheet.paragraphs)]
    return "\n\n".join("\n".join(part) for part in (head, body, sheet.signature)) + "\n"


async def draw(sheet: Sheet) -> bytes:
    """The letter as a PDF. The same letter is always the same bytes. Raises NotDrawn."""
    return await asyncio.to_thread(_draw, sheet)


def _draw(sheet: Sheet) -> bytes:
    day = clock.local(sheet.made_at)
    said = {
        "office": _seen(sheet.office), "title": _seen(sheet.title), "number": sheet.number,
        "addressee": _seen(sheet.addressee), "paragraphs": [_seen(line) for line in sheet.paragraphs],
        "signature": [_seen(line) for line in sheet.signature], "void": VOID if sheet.is_void else "",
        "day": [day.year, day.month, day.day],
    }
    try:
        drawn = typst.compile(
            str(TEMPLATE), font_paths=[_fonts()], ignore_system_fonts=True, sys_inputs={"letter": json.dumps(said)}
        )
    except BaseException as error:  # A panic of the engine is none of Python's ordinary errors.
        raise NotDrawn(f"the sheet could not be drawn ({type(error).__name__}): take the letter as text") from error
    assert isinstance(drawn, bytes)
    return drawn


def _seen(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character) not in UNSEEN)


@cache
def _fonts() -> str:
    return str(files("pylopdf_fonts_zh_cn"))
