"""Chinese text to search terms: one function for all search, so that what is stored and what is asked agree."""

import re
import unicodedata
from functools import lru_cache
from typing import Any

_HAN = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = rf"[^\W_{_HAN}]+"
_RUNS = re.compile(rf"([{_HAN}]+)|({_WORD}(?:[.\-]{_WORD})*)")



def fold(text: str) -> str:
    """One form for one text: full width to half width (NFKC), lower case, traditional to simplified."""
    plain = unicodedata.normalize("NFKC", text).lower()
    converted: str = _converter().convert(plain)
    return converted


def terms(text: str) -> list[str]:
    """Search terms in the order of the text: characters, pairs of characters and words; numbers and Latin whole.

    Characters and pairs find every Chinese word inside a sentence, two-character words included; words weigh
    what a dictionary knows. A term occurs as often as the text holds it.
    """
    found: list[str] = []
    for han, latin in _RUNS.findall(fold(text)):
        if latin:
            found.append(latin)
            continue
        found.extend(han)
        found.extend(han[at : at + 2] for at in range(len(han) - 1))
        found.extend(word for word in _cut(han) if len(word) > 2)
    return found


def words(text: str) -> list[str]:
    """The dictionary words, numbers and Latin words of a text, folded, punctuation left out."""
    found: list[str] = []
    for han, latin in _RUNS.findall(fold(text)):
        found.extend([latin] if latin else _cut(han))
    return found


def segment(text: str) -> list[str]:
    """A text, folded, cut into words of the dictionary and what stands between them: joined they are the text."""
    return list(_rjieba().cut(fold(text), False))


def _cut(han: str) -> list[str]:
    return list(_rjieba().cut(han))


@lru_cache(maxsize=1)
def _rjieba() -> Any:
    """The segmenter, loaded with its dictionary when the first text comes."""
    import rjieba

    return rjieba


@lru_cache(maxsize=1)
def _converter() -> Any:
    """OpenCC's table, loaded when the first text comes."""
    import opencc

    return opencc.OpenCC("t2s")
