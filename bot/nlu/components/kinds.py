"""Services by their kind: what names one (水痘, 种粮, 入学) before what it is (疫苗, 补贴, 体检), whichever one it is.

No list has every paper, subsidy and examination; their endings are few. The table stands in offices.yml.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from nlu.components.words import Word, Words

Span = tuple[int, int]

_LONGEST = 7
"""Characters of what names one; more is a sentence."""
_SHORTEST = 2
_MOST_WORDS = 3
_NAMES = ("n", "v", "b", "j", "l", "i", "a", "e", "q", "s")
"""Parts of speech that can name a kind; what else stands before it ends the name."""

_COUNTED = ("疫苗", "筛查", "检查")
"""九价疫苗, 两癌筛查."""
_DOES = re.compile("[办来去想要能可找搞借买让请给帮打没写动做改]")
"""In a verb: what somebody does about it, and no name of it."""


class Kinds:
    """Names of services by their endings; `table` says which always count and which where they are asked for."""

    def __init__(self, table: Mapping[str, str]) -> None:
        always, asked = table["always"].split(), table["asked"].split()
        self._endings = frozenset((*always, *asked))
        self._sure = frozenset(always)
        self._ending = re.compile("|".join(sorted(map(re.escape, (*always, *asked)), key=len, reverse=True)))
        self._papers = frozenset(table["papers"].split())
        self._no_head = frozenset(table["no_head"].split())
        self._heads_though = frozenset(table["heads_though"].split())
        self._not_before = re.compile(table["not_before"])
        self._ends_no_head = tuple(table["ends_no_head"].split())

    def is_ending(self, name: str) -> bool:
        """体检, 疫苗: any name may stand before it."""
        return name in self._endings

    @staticmethod
    def only_names(words: Sequence[Word]) -> bool:
        """Whether these words name and do nothing."""
        return bool(words) and all(word.tag[0] in "njbla" or word.tag == "vn" for word in words)

    def find(self, plain: str, words: Words, others: Sequence[Span]) -> Iterator[tuple[int, int, bool]]:
        """(start, end, whether it counts without being asked for); `others` are entities that no name goes into."""
        taken = {at for start, end in others for at in range(start, end)}
        for match in self._ending.finditer(plain):
            start, end = match.span()
            if not words.ends(end) or self._not_before.match(plain, end) or start in taken:
                continue
            head = self._head(plain, words, match, taken)
            if head and start - head[0].start >= _SHORTEST:
                yield head[0].start, end, match[0] in self._sure and (match[0][0] in "补津" or all(word.tag != "v" for word in head))

    def _head(self, plain: str, words: Words, ending: re.Match[str], taken: set[int]) -> list[Word]:
        """As far back as words go that can name a kind."""
        at, head = ending.start(), list[Word]()
        while at > 0 and len(head) < _MOST_WORDS and at - 1 not in taken:
            word = words.at(at - 1)
            if ending.start() - word.start > _LONGEST or not self._may_name(word, plain[word.start:at], ending[0], at == ending.start()):
                break
            at = word.start
            head.insert(0, word)
        return head

    def _may_name(self, word: Word, part: str, ending: str, beside: bool) -> bool:
        if not part.isalnum() or part in self._no_head or (part.endswith(self._ends_no_head) and part not in self._heads_though):
            return False
        if word.tag == "v" and (ending in self._papers or not beside or _DOES.search(part)) and len(part) == len(word.text):
            return False
        if word.tag[0] in _NAMES and not (word.tag in ("v", "e", "q") and len(part) == 1):
            return True
        if word.tag in ("t", "f") and part[-1] in "前后中":  # 婚前检查, 开业前检查
            return True
        return (word.tag[0] == "m" and beside and len(part) > 1 and ending in _COUNTED) or (word.tag == "x" and part.isalnum())
