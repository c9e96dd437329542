"""Long text in parts: each fits the platform's limit, cut where a reader would pause."""

import re
from collections.abc import Callable, Iterator

_PAUSES = (
    re.compile(r"(?<=[。！？!?；;…\n])"),
    re.compile(r"(?<=[，,、：: ])"),
)
"""Where to cut, best first: after a sentence, then after a clause."""


def split_text(text: str, fits: Callable[[str], bool]) -> list[str]:
    """The text in as few parts as sentences allow; `fits` knows the platform's own unit.

    Nothing but white space at the edges of parts is lost. `fits` must accept any single character.
    """
    parts: list[str] = []
    current = ""
    for piece in _pieces(text, fits, 0):
        if current and not fits((current + piece).strip()):
            parts.append(current.strip())
            current = ""
        current += piece
    parts.append(current.strip())
    return [part for part in parts if part]


def within(characters: int, octets: int | None = None) -> Callable[[str], bool]:
    """Fits when it has at most so many characters and, in UTF-8, at most so many bytes."""

    def fits(text: str) -> bool:
        return len(text) <= characters and (octets is None or len(text.encode("utf-8", "replace")) <= octets)

    return fits


def with_choices(text: str, choices: tuple[str, ...]) -> str:
    """The text followed by the choices, one a line, where the platform has no buttons."""
    return "\n".join([text, *(f"· {choice}" for choice in choices)])


def _pieces(text: str, fits: Callable[[str], bool], level: int) -> Iterator[str]:
    if fits(text.strip()):
        yield text
    elif level == len(_PAUSES):
        yield from _cut(text, fits)
    else:
        for piece in _PAUSES[level].split(text):
            if piece:
                yield from _pieces(piece, fits, level + 1)


def _cut(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """A run without any pause is cut at the limit."""
    while text:
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(text[:middle]) else (low, middle - 1)
        yield text[:low]
        text = text[low:]
