"""A letter as a sheet of paper (PDF) and as plain text.

Typst breaks Chinese lines by its rules and carries the characters that are used inside the file, so that every
reader shows them, rare ones in names too. What a letter says is handed to it as data: no word of it is markup.
"""

import asyncio
import json
from functools import cache
from importlib.resources import files
from pathlib import Path

import typst

from core import clock
from ticketing.letters import Sheet

TEMPLATE = Path(__file__).with_name("letter.typ")
VOID = "本文书已作废，以新的文书为准。"


class NotDrawn(Exception):
    """The sheet could not be made; the letter's text is there all the same."""


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
        "office": sheet.office, "title": sheet.title, "number": sheet.number, "addressee": sheet.addressee,
        "paragraphs": sheet.paragraphs, "signature": sheet.signature, "void": VOID if sheet.is_void else "",
        "day": [day.year, day.month, day.day],
    }
    try:
        drawn = typst.compile(
            str(TEMPLATE), font_paths=[_fonts()], ignore_system_fonts=True, sys_inputs={"letter": json.dumps(said)}
        )
    except (typst.TypstError, RuntimeError) as error:
        raise NotDrawn(str(error)) from error
    assert isinstance(drawn, bytes)
    return drawn


@cache
def _fonts() -> str:
    return str(files("pylopdf_fonts_zh_cn"))
