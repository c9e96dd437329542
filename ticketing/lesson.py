"""How categories are learnt: ridge regression (one category against all) over phrases, ours and the office's own tickets.

The kernel adds the cosine of TF-IDF terms and that of centred sentence vectors at equal weight; what comes out is
linear in both, so the phrases themselves are not kept.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from ticketing.matters import (
    ASIDE,
    LONGEST_WORDS,
    Matrix,
    Matters,
    Name,
    Phrase,
    Weights,
    count_terms,
    parents_of,
    unit,
)
from ticketing.preset import Preset

RIDGE = 1.0
SAID_BY = 3
"""A term of residents' own is learnt only when so many of them used it: a name or an address of one stays out."""
COLUMNS_AT_ONCE = 2048
"""Terms whose numbers are in memory together."""


def learn(preset: Preset, phrases: Sequence[Phrase], vectors: Matrix | None, name: Name = str) -> Matters:
    """Weights for the categories of this preset.

    `vectors`: one row (384 numbers, length 1) a phrase; None learns from words alone. `name` writes the terms that
    are kept. Memory and time grow with the square and the cube of the phrases: three thousand take some seconds.
    """
    parents = parents_of(preset)
    counted = [count_terms(phrase.text[:LONGEST_WORDS]) for phrase in phrases]
    terms = _known_terms(phrases, counted)
    words = _Words(counted, terms)
    mean = near = None
    kernel = words.kernel()
    if vectors is not None:
        mean = vectors.mean(axis=0)
        near = unit(vectors - mean)
        kernel = kernel + near @ near.T
    ridge = np.array([RIDGE / phrase.weight for phrase in phrases], np.float32)

    def solve(codes: Sequence[str], meant: Sequence[str | None]) -> Weights:
        """`meant`: what each phrase is about on this level; None says nothing about it."""
        rows = np.array([at for at, code in enumerate(meant) if code is not None])
        wanted = np.zeros((len(phrases), len(codes)), np.float32)
        system = kernel[np.ix_(rows, rows)] + np.diag(ridge[rows])
        wanted[rows] = np.linalg.solve(system, _targets([meant[row] for row in rows], codes))
        return Weights(list(codes), words.join(wanted), None if near is None else near.T @ wanted)

    tops = parents | {ASIDE: ASIDE}
    first = solve(list(dict.fromkeys(tops.values())), [tops[phrase.category] for phrase in phrases])
    every = solve(list(parents), _finest(preset, phrases))
    return Matters(parents, [name(term) for term in terms], words.rarity, mean, first, every, name)


def _known_terms(phrases: Sequence[Phrase], counted: Sequence[Counter[str]]) -> list[str]:
    """Ours all, and those that several residents used."""
    said_by: defaultdict[str, set[int]] = defaultdict(set)
    known: dict[str, None] = {}
    for phrase, count in zip(phrases, counted, strict=True):
        if phrase.resident is None:
            known |= dict.fromkeys(count)
            continue
        for term in count:
            said_by[term].add(phrase.resident)
    return list(known | dict.fromkeys(term for term, residents in said_by.items() if len(residents) >= SAID_BY))


def _finest(preset: Preset, phrases: Sequence[Phrase]) -> list[str | None]:
    """A ticket that stands at the first level says nothing about the levels below it."""
    divided = {item.parent for item in preset.categories}
    return [
        None if phrase.resident is not None and phrase.category in divided else phrase.category for phrase in phrases
    ]


def _targets(meant: Sequence[str | None], codes: Sequence[str]) -> Matrix:
    """1 where a phrase is about the category; an aside is about none."""
    found = np.zeros((len(meant), len(codes)), np.float32)
    for row, code in enumerate(meant):
        if code in codes:
            found[row, codes.index(code)] = 1.0
    return found


class _Words:
    """The phrases' TF-IDF, a few columns at a time: all of them together would not fit beside the service."""

    def __init__(self, counted: Sequence[Counter[str]], terms: Sequence[str]) -> None:
        number = {term: at for at, term in enumerate(terms)}
        known = Counter(term for count in counted for term in count if term in number)
        self._size = len(terms)
        self.rarity = np.array([np.log((1 + len(counted)) / (1 + known[term])) + 1 for term in terms], np.float32)
        self._rows = [self._row({number[term]: times for term, times in count.items() if term in number})
                      for count in counted]

    def _row(self, count: dict[int, int]) -> tuple[np.ndarray, Matrix]:
        at = np.array(sorted(count), np.int64)
        values = np.array([1 + np.log(count[each]) for each in at.tolist()], np.float32) * self.rarity[at]
        return at, unit(values)

    def _columns(self) -> Iterator[tuple[int, Matrix]]:
        for begins in range(0, self._size, COLUMNS_AT_ONCE):
            part = np.zeros((len(self._rows), min(COLUMNS_AT_ONCE, self._size - begins)), np.float32)
            for row, (at, values) in enumerate(self._rows):
                here = slice(*np.searchsorted(at, (begins, begins + part.shape[1])))
                part[row, at[here] - begins] = values[here]
            yield begins, part

    def kernel(self) -> Matrix:
        """The cosine of each phrase with each other."""
        found = np.zeros((len(self._rows), len(self._rows)), np.float32)
        for _, part in self._columns():
            found += part @ part.T
        return found

    def join(self, learnt: Matrix) -> Matrix:
        """What each phrase weighs, as what each term weighs."""
        found = np.zeros((self._size, learnt.shape[1]), np.float32, order="F")  # A guess reads it column by column.
        for begins, part in self._columns():
            found[begins : begins + part.shape[1]] = part.T @ learnt
        return found
