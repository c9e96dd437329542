"""How a text sounds: 投宿 is read as 投诉, whoever typed or heard it."""
from __future__ import annotations

import os
from functools import lru_cache

os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")   # Readings of whole phrases are not used here, and weigh 40 MB.

from pypinyin import Style, lazy_pinyin


def spell(text: str) -> list[str]:
    """One syllable a character, tones left out; what is no Chinese character stands for itself, spaces are nothing."""
    return [_spell(character) for character in text if not character.isspace()]


@lru_cache(maxsize=30_000)
def _spell(character: str) -> str:
    """How a character is read when it stands alone: by the sentence would be truer, and ten times slower."""
    return lazy_pinyin(character, style=Style.NORMAL)[0]
