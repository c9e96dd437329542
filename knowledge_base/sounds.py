"""How a text sounds: syllables in pairs, so that 居主证 finds 居住证."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from core.segment import fold, segment

SHORTEST, LONGEST = 2, 6
_SMALL = frozenset("不没去要往着就谁的了是在有我你他她它吗呢吧啊把被给和跟与从到对为很都也还又再才上下里外前后多少几个这那哪能会可想让叫请问说看用做打管人一钱")
"""Small words stand beside each other by chance: 谁管 is not 水管."""
_HAN = re.compile(r"[\u3400-\u9fff]+")


def syllables(text: str) -> list[str]:
    """Pairs of neighbouring syllables, tones left out; nothing for Latin words and numbers."""
    spoken = [sound for char in fold(text) if (sound := _spoken(char))]
    return [f"{one}-{two}" for one, two in pairwise(spoken)]


@lru_cache(maxsize=30_000)
def _spoken(char: str) -> str:
    """How a character is read when it stands alone: by the sentence would be truer, and fifty times slower."""
    from pypinyin import Style, lazy_pinyin

    read = lazy_pinyin(char, style=Style.NORMAL, errors="ignore", v_to_u=False)
    return _as_heard(read[0]) if read else ""


def _as_heard(syllable: str) -> str:
    """zh, ch, sh and -ng are often written as they are heard in the south: z, c, s and -n."""
    for written, heard in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if syllable.startswith(written):
            syllable = heard + syllable[2:]
    return syllable[:-1] if syllable.endswith(("ing", "eng")) else syllable


class Lexicon:
    """Words by their sound, to read 居主证 as 居住证."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_sound: dict[tuple[str, ...], str] = {}
        self._words = {word for word in words if SHORTEST <= len(word) <= LONGEST and _HAN.fullmatch(word)}
        for word in self._words:
            self._by_sound.setdefault(_sound(word), word)

    def correct(self, question: str) -> str:
        """The question (folded) with mistyped words replaced by those that sound the same.

        Only runs of what the segmenter took for several words are looked at: a word that exists is not mistyped.
        """
        tokens = [token for token in segment(question)]
        found: list[str] = []
        at = 0
        while at < len(tokens):
            end, word = self._longest(tokens, at)
            found.append(word)
            at = end
        return "".join(found)

    def _longest(self, tokens: Sequence[str], at: int) -> tuple[int, str]:
        for end in range(min(len(tokens), at + LONGEST), at + 1, -1):
            run = "".join(tokens[at:end])
            if not SHORTEST <= len(run) <= LONGEST or not _HAN.fullmatch(run):
                continue
            if run in self._words:
                return end, run
            if len(run) == SHORTEST and (len(tokens[at]) > 1 or run[0] in _SMALL or run[1] in _SMALL):
                continue
            meant = self._by_sound.get(_sound(run))
            if meant is not None:
                return end, meant
        return at + 1, tokens[at]


def _sound(word: str) -> tuple[str, ...]:
    return tuple(map(_spoken, word))
