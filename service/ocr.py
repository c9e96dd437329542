"""Photographed letters into a draft, where the extra `ocr` is installed: pip install 'huiyin[ocr]'."""

import asyncio
import importlib.util
from functools import cache
from typing import Any

ONE_AT_A_TIME = asyncio.Lock()
"""A reading takes two cores for seconds: several at once would stop the desk."""


def is_installed() -> bool:
    return importlib.util.find_spec("rapidocr_onnxruntime") is not None


async def read_text(picture: bytes) -> str:
    """The lines of a photographed or scanned page, top to bottom; "" where nothing is legible."""
    async with ONE_AT_A_TIME:
        found = await asyncio.to_thread(_read, picture)
    return "\n".join(found)


def _read(picture: bytes) -> list[str]:
    lines, _ = _engine()(picture)
    return [str(line[1]) for line in sorted(lines or [], key=lambda line: (min(point[1] for point in line[0])))]


@cache
def _engine() -> Any:
    """Loaded at the first letter: its models take a second and 200 MB."""
    from rapidocr_onnxruntime import RapidOCR

    return RapidOCR()
