"""How well questions find their guides: top-1, top-3, field, wrong answers, refusals, quotes, the curve, the FAQ.

`python -m benchmarks.guides` prints the figures of the held-out questions; `--all` prints the table of ways to join
and the choosing questions' misses besides; `--words` leaves the vectors out; `--fit` chooses weights anew.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.questions import Row, read_rows
from benchmarks.running import ROOT
from core import clock
from knowledge_base.answer import Answer, answer
from knowledge_base.guide import Guide
from knowledge_base.index import Index
from knowledge_base.library import shipped
from knowledge_base.shelf import default_weights

FAQ = ROOT.parent / "shared" / "data" / "faq" / "hall_faq.jsonl"
RESULTS = ROOT / "benchmarks" / "results"
NAMES = ("name_words", "name_vectors", "name_sounds", "learnt")
MEASURES = (*NAMES, "coverage", "section_words")

Scores = Mapping[str, Any]
"""A measure's name → its value for each guide of the shelf."""


@dataclass(frozen=True)
class Figures:
    """Shares of the questions asked: `wrong` of all, `field` of those that name one, `refused` of what is not covered."""

    covered: int
    uncovered: int
    top1: float
    top3: float
    field: float
    wrong: float
    refused: float
    answered: float
    asked_back: float
    verbatim: float


async def load(guides: list[Guide], vectors: bool = True) -> Index:
    """An index of these guides; the lines' vectors are kept for the next run."""
    index = Index(vectors, RESULTS)
    await index.load(guides)
    return index


async def ask(index: Index, rows: Sequence[Row]) -> list[Answer]:
    now = clock.now()
    return [await answer(None, index, row.question, row.preset, now) for row in rows]


def count(index: Index, rows: Sequence[Row], answers: Sequence[Answer]) -> Figures:
    pairs = list(zip(rows, answers, strict=True))
    covered = [(row, got) for row, got in pairs if row.guide]
    bare = [got for row, got in pairs if not row.guide]
    named = [(row, got) for row, got in covered if row.field]
    return Figures(
        len(covered), len(bare),
        top1=_share(_right(row, got, 1) for row, got in covered),
        top3=_share(_right(row, got, 3) for row, got in covered),
        field=_share(got.field == row.field for row, got in named),
        wrong=_share(is_wrong(row, got) for row, got in pairs),
        refused=_share(got.status != "answered" for got in bare),
        answered=_share(got.status == "answered" and row.accepts(cited(got)) for row, got in covered),
        asked_back=_share(got.status == "clarify" for _, got in covered),
        verbatim=_share(verbatim(index, row, got) for row, got in pairs if got.citations),
    )


def is_wrong(row: Row, got: Answer) -> bool:
    """Answered, and not by an acceptable guide."""
    return got.status == "answered" and not row.accepts(cited(got))


def verbatim(index: Index, row: Row, got: Answer) -> bool:
    """Whether each quote stands letter by letter in its guide."""
    texts = {guide.slug: "\n".join(section.text for section in guide.sections())
             for guide in index.shelves[row.preset].guides}
    return all(each.quote and each.quote in texts[each.guide] for each in got.citations)


def cited(got: Answer) -> str | None:
    return got.citations[0].guide if got.citations else None


def near(got: Answer) -> list[str]:
    """The guides in the order in which they were held to be meant."""
    found, first = [each.guide for each in got.candidates], cited(got)
    return [first, *(slug for slug in found if slug != first)] if first else found


def _right(row: Row, got: Answer, places: int) -> bool:
    return any(row.accepts(slug) for slug in near(got)[:places])


def _share(found: Any) -> float:
    return float(np.mean([bool(each) for each in found]))


def show(name: str, figures: Figures) -> None:
    print(f"\n{name}: {figures.covered} questions that guides cover, {figures.uncovered} that none does")
    print(f"  top-1 {figures.top1:.3f}   top-3 {figures.top3:.3f}   field {figures.field:.3f}   "
          f"wrong {figures.wrong:.3f} of all   refused {figures.refused:.3f}")
    print(f"  right guide quoted {figures.answered:.3f}   asked back {figures.asked_back:.3f}   "
          f"quotes letter by letter {figures.verbatim:.0%}")


def show_misses(rows: Sequence[Row], answers: Sequence[Answer]) -> None:
    """What went wrong, wrong answers first; asked of the choosing questions only."""
    pairs = list(zip(rows, answers, strict=True))
    misses = [pair for pair in pairs if is_wrong(*pair)]
    misses += [(row, got) for row, got in pairs if row.guide and not _right(row, got, 1) and not is_wrong(row, got)]
    for row, got in misses:
        print(f"  {row.question[:60]} → {got.status} {near(got)[:2]} (right: {row.guide})")
    for row, got in pairs:
        if row.field and got.field != row.field:
            print(f"  field: {row.question[:60]} → {got.status} {got.field} (right: {row.field})")


async def measure(index: Index, rows: Sequence[Row]) -> list[Scores]:
    """Each row's measures for each guide, as the search itself takes them."""
    found = []
    for row in rows:
        shelf = index.shelves[row.preset]
        said = shelf.read(row.question)
        found.append(shelf.measure(said, await index.embedder.query(said) if shelf.has_vectors else None).guides)
    return found


def total(measures: Scores, weights: Mapping[str, float]) -> Any:
    return sum(weights.get(name, 0.0) * measures[name] for name in MEASURES)


def compare(index: Index, rows: Sequence[Row], measured: Sequence[Scores]) -> None:
    """Words alone, vectors alone, their sum, reciprocal rank, and all measures with the chosen weights."""
    ways: dict[str, Mapping[str, float]] = {
        "words alone (names)": {"name_words": 1},
        "words alone (all that needs no vectors)": _chosen("_without_vectors"),
        "vectors alone (nearest line)": {"name_vectors": 1},
        "vectors alone (linear map)": {"learnt": 1},
        "names: words + vectors, equal weight": {"name_words": 1, "name_vectors": 1},
        "all measures, chosen weights": _chosen(""),
    }
    print("\n| way | R@1 | R@3 |\n|---|---|---|")
    pairs = [(row, each) for row, each in zip(rows, measured, strict=True) if row.guide]
    for name, weights in ways.items():
        _line(name, [rank_of(index, row, total(each, weights)) for row, each in pairs])
    _line("names: reciprocal rank", [rank_of(index, row, _reciprocal(each)) for row, each in pairs])


def _chosen(kind: str) -> Mapping[str, float]:
    return {name: getattr(default_weights(kind), name) for name in MEASURES}


def rank_of(index: Index, row: Row, scores: Any) -> int:
    """At which place an acceptable guide stands; 0 is the first."""
    own = [number for number, guide in enumerate(index.shelves[row.preset].guides) if row.accepts(guide.slug)]
    return int((scores > scores[own].max()).sum())


def _reciprocal(measures: Scores) -> Any:
    return sum(1 / (10 + (-measures[name]).argsort().argsort()) for name in ("name_words", "name_vectors"))


def _line(name: str, ranks: Sequence[int]) -> None:
    ranked = np.array(ranks)
    print(f"| {name} | {(ranked == 0).mean():.3f} | {(ranked < 3).mean():.3f} |")


def fit(index: Index, rows: Sequence[Row], measured: Sequence[Scores]) -> dict[str, float]:
    """Weights that put the right guide first (a softmax over the guides, plain descent)."""
    sets = [(np.stack([each[name] for name in MEASURES]),
             [guide.slug for guide in index.shelves[row.preset].guides].index(str(row.guide)))
            for row, each in zip(rows, measured, strict=True) if row.guide]
    weights = np.array([1.0, 1.0, 0.3, 1.5, 0.5, 0.3])
    for _ in range(400):
        slope = 0.04 * weights
        for values, right in sets:
            scores = 6 * weights @ values
            share = np.exp(scores - scores.max())
            slope += 6 * (values @ (share / share.sum()) - values[:, right]) / len(sets)
        weights = np.maximum(weights - 0.1 * slope, 0)
    return dict(zip(MEASURES, map(float, weights.round(2)), strict=True))


async def try_faq(vectors: bool = True) -> tuple[float, float] | None:
    """(R@1, R@5) of the public FAQ: its standard questions as a knowledge base, asked its variants."""
    if not FAQ.exists():
        return None
    told = [json.loads(line) for line in FAQ.read_text("utf-8").splitlines() if line.strip()]
    index, ranks = Index(vectors, RESULTS / "faq"), []
    await index.load([Guide(each["intent"], "hall", each["standard"], "", {}) for each in told])
    for each in told:
        for variant in each["variants"]:
            found = await index.search(variant, "hall", limit=len(told))
            ranks.append([hit.guide.slug for hit in found].index(each["intent"]))
    index.close()
    ranked = np.array(ranks)
    return float((ranked == 0).mean()), float((ranked < 5).mean())


async def main(arguments: Sequence[str]) -> None:
    from benchmarks.curve import draw

    vectors = "--words" not in arguments
    guides = [each.guide for each in shipped()]
    index = await load(guides, vectors)
    rows = read_rows({(guide.preset, guide.slug) for guide in guides})
    held, choosing = [row for row in rows if not row.tune], [row for row in rows if row.tune]
    if "--fit" in arguments:
        print("weights:", fit(index, choosing, await measure(index, choosing)))
        return
    show("held out", count(index, held, await ask(index, held)))
    if "--all" in arguments:
        compare(index, held, await measure(index, held))
        answers = await ask(index, choosing)
        show("choosing", count(index, choosing, answers))
        show_misses(choosing, answers)
    print(f"\ncurve: {await draw(index, held, RESULTS / 'answered_against_wrong.png')}")
    if faq := await try_faq(vectors):
        print(f"hall_faq: R@1 {faq[0]:.3f}   R@5 {faq[1]:.3f}")
    index.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
