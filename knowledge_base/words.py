"""Texts as postings in plain arrays: BM25 for long texts, the cosine of TF-IDF for short ones."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

K1, B = 1.2, 0.75
MOST_TERMS = 64
"""Of a long question only its rarest terms are looked at: the others cost time and tell nothing."""

Scores = npt.NDArray[np.float32]


class WordIndex:
    """For each term the texts that hold it and what it is worth there."""

    def __init__(self, texts: Sequence[Sequence[str]], cosine: bool = False) -> None:
        self.size = len(texts)
        self._cosine = cosine
        self._terms: dict[str, int] = {}
        rows, columns, counts = self._count(texts)
        holding = np.bincount(columns, minlength=len(self._terms))
        self._idf = np.log1p((self.size - holding + 0.5) / (holding + 0.5)).astype(np.float32)
        self._unknown = float(np.log1p((self.size + 0.5) / 0.5))
        worth = self._cosines(rows, columns, counts) if cosine else self._bm25(rows, columns, counts, texts)
        order = np.argsort(columns, kind="stable")
        self._rows, self._worth = rows[order], worth[order]
        self._starts = np.concatenate([[0], np.cumsum(holding)]).astype(np.int64)

    def score(self, wanted: Mapping[str, float]) -> Scores:
        """What each text is worth for these terms; for cosine indexes at most 1."""
        scores = np.zeros(self.size, np.float32)
        known = [(self._terms[term], weight) for term, weight in wanted.items() if term in self._terms]
        length = sum((self.idf(term) * weight) ** 2 for term, weight in wanted.items())
        known.sort(key=lambda each: -self._idf[each[0]])
        for column, weight in known[:MOST_TERMS]:
            part = slice(self._starts[column], self._starts[column + 1])
            factor = self._idf[column] * weight if self._cosine else weight
            scores[self._rows[part]] += self._worth[part] * np.float32(factor)
        if self._cosine and length:
            scores /= np.float32(length**0.5)
        return scores

    def covered(self, wanted: Mapping[str, float]) -> Scores:
        """For each text the share of the terms, weighed by rarity, that it holds: between 0 and 1."""
        scores = np.zeros(self.size, np.float32)
        total = 0.0
        for term, weight in wanted.items():
            worth = self.idf(term) * weight
            total += worth
            column = self._terms.get(term)
            if column is not None:
                scores[self._rows[self._starts[column] : self._starts[column + 1]]] += np.float32(worth)
        return scores / np.float32(total or 1.0)

    def idf(self, term: str) -> float:
        """How rare a term is; one that no text holds is the rarest."""
        column = self._terms.get(term)
        return self._unknown if column is None else float(self._idf[column])

    def _count(self, texts: Sequence[Sequence[str]]) -> tuple[npt.NDArray[np.int32], ...]:
        rows: list[int] = []
        columns: list[int] = []
        counts: list[int] = []
        for row, found in enumerate(texts):
            for term, count in Counter(found).items():
                rows.append(row)
                columns.append(self._terms.setdefault(term, len(self._terms)))
                counts.append(count)
        return np.array(rows, np.int32), np.array(columns, np.int32), np.array(counts, np.int32)

    def _bm25(self, rows: npt.NDArray[np.int32], columns: npt.NDArray[np.int32], counts: npt.NDArray[np.int32],
              texts: Sequence[Sequence[str]]) -> Scores:
        lengths = np.array([len(each) for each in texts], np.float32)
        usual = float(lengths.mean()) if self.size else 1.0
        slowing = K1 * (1 - B + B * lengths[rows] / (usual or 1.0))
        worth: Scores = (self._idf[columns] * counts * (K1 + 1) / (counts + slowing)).astype(np.float32)
        return worth

    def _cosines(self, rows: npt.NDArray[np.int32], columns: npt.NDArray[np.int32],
                 counts: npt.NDArray[np.int32]) -> Scores:
        worth = self._idf[columns] * (1 + np.log(np.maximum(counts, 1)))
        length = np.sqrt(np.bincount(rows, worth**2, minlength=self.size))
        unit: Scores = (worth / np.maximum(length[rows], 1e-9)).astype(np.float32)
        return unit
