"""The words of a text with their parts of speech, as evidence beside the words around a name."""
from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import rjieba

NOT_IN_NAMES = ("p", "r", "u", "c", "d", "x", "y", "e", "o", "t", "k")
"""Prepositions, pronouns, particles, conjunctions, adverbs, signs …: no part of a name, whatever it names."""


@dataclass(frozen=True, slots=True)
class Word:
    """`text` stands at start:end; `tag` is its part of speech (nr person, ns place, v verb …)."""

    text: str
    start: int
    end: int
    tag: str


class Words:
    """Words by their offsets."""

    def __init__(self, plain: str) -> None:
        self.all: list[Word] = []
        at = 0
        for text, tag in rjieba.tag(plain):
            self.all.append(Word(text, at, at + len(text), tag))
            at += len(text)
        self._starts = [word.start for word in self.all]
        self._ends = [word.end for word in self.all]

    def begins(self, at: int) -> bool:
        """Whether a word begins here."""
        n = bisect_left(self._starts, at)
        return n < len(self._starts) and self._starts[n] == at

    def ends(self, at: int) -> bool:
        """Whether a word ends here."""
        n = bisect_left(self._ends, at)
        return at == 0 or (n < len(self._ends) and self._ends[n] == at)

    def at(self, place: int) -> Word:
        """The word over this character."""
        return self.all[max(bisect_right(self._starts, place) - 1, 0)]

    def within(self, start: int, end: int) -> list[Word]:
        """The words that touch these characters."""
        return self.all[max(bisect_right(self._starts, start) - 1, 0):bisect_left(self._starts, end)]

    @staticmethod
    def knows(text: str) -> bool:
        """Whether the dictionary has it as a word."""
        return bool(rjieba.has_word(text))
