"""How well questions find their guides: top-1, top-3, field, wrong answers, refusals, the curve, the FAQ, speed.

`python -m benchmarks.guides` prints the figures of the half that chose nothing; `--fit` chooses weights anew on the
other half and prints them for knowledge_base/finding.yml. Pass a folder for the curve (default: the temporary folder).
"""

import asyncio
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from core import clock
from knowledge_base.answer import Answer, answer
from knowledge_base.guide import FIELDS, Guide
from knowledge_base.index import Index
from knowledge_base.library import shipped
from knowledge_base.shelf import Shelf, Weights, default_weights

ROOT = Path(__file__).parent.parent
QUESTIONS = ROOT / "tests" / "data" / "questions.yml"
APART = ROOT / "tests" / "data" / "questions_apart.yml"
FAQ = ROOT.parent / "shared" / "data" / "faq" / "hall_faq.jsonl"
MEASURES = ("name_words", "name_vectors", "name_sounds", "learnt", "coverage", "section_words")


@dataclass(frozen=True)
class Row:
    """A question of the set; `guide` is None where no guide covers it."""

    preset: str
    question: str
    guide: str | None
    field: str | None
    tune: bool
    also: frozenset[str] = frozenset()
    """Other guides whose answer would be right as well."""

    def accepts(self, guide: str | None) -> bool:
        return guide is not None and (guide == self.guide or guide in self.also)


def read_rows(known: set[tuple[str, str]]) -> list[Row]:
    """The questions of both sets whose guides are there: questions.yml and every second one of questions_apart.yml
    choose weights and thresholds, the others give the figures."""
    rows = []
    for path in (QUESTIONS, APART):
        data = yaml.safe_load(path.read_text("utf-8"))
        for preset, guides in data["covered"].items():
            for slug, told in guides.items():
                rows += [_row(preset, slug, line, path == QUESTIONS or number % 2 == 0)
                         for number, line in enumerate(told) if (preset, slug) in known]
        for preset, told in data["uncovered"].items():
            rows += [Row(preset, question, None, None, path == QUESTIONS or number % 2 == 0)
                     for number, question in enumerate(told)]
    return rows


def _row(preset: str, slug: str, line: str, tune: bool) -> Row:
    field, question, *also = (part.strip() for part in line.split("|"))
    return Row(preset, question, slug, None if field == "-" else field, tune, frozenset(",".join(also).split(",")) - {""})


async def measure(index: Index, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Each row's measures for each guide, as the search itself takes them."""
    found = []
    for row in rows:
        shelf = index.shelves[row.preset]
        said = shelf.read(row.question)
        found.append(shelf.measure(said, await index.embedder.query(said) if shelf.has_vectors else None).guides)
    return found


def total(measures: dict[str, Any], weights: dict[str, float]) -> Any:
    return sum(weights[name] * measures[name] for name in MEASURES)


def rank_of(index: Index, row: Row, scores: Any) -> int:
    """At which place the right guide stands; 0 is the first."""
    own = [guide.slug for guide in index.shelves[row.preset].guides].index(str(row.guide))
    return int((scores > scores[own]).sum())


def compare(index: Index, rows: Sequence[Row], measured: Sequence[dict[str, Any]]) -> None:
    """Words alone, vectors alone, their sum, reciprocal rank, and all measures with the chosen weights."""
    one = dict.fromkeys(MEASURES, 0.0)
    ways = {
        "words alone (names)": one | {"name_words": 1.0},
        "words alone (names, coverage, sections)": one | {"name_words": 1.0, "coverage": 0.8, "section_words": 0.5},
        "vectors alone": one | {"name_vectors": 1.0},
        "sum of words and vectors": one | {"name_words": 1.0, "name_vectors": 1.0},
        "chosen weights": {name: getattr(default_weights(), name) for name in MEASURES},
    }
    print("\n| way | R@1 | R@3 |\n|---|---|---|")
    pairs = [(row, each) for row, each in zip(rows, measured, strict=True) if row.guide and not row.tune]
    for name, weights in ways.items():
        _line(name, [rank_of(index, row, total(each, weights)) for row, each in pairs])
    _line("reciprocal rank", [rank_of(index, row, _reciprocal(each)) for row, each in pairs])


def _reciprocal(measures: dict[str, Any]) -> Any:
    return sum(1 / (10 + (-measures[name]).argsort().argsort()) for name in ("name_words", "name_vectors"))


def _line(name: str, ranks: Sequence[int]) -> None:
    ranked = np.array(ranks)
    print(f"| {name} | {(ranked == 0).mean():.3f} | {(ranked < 3).mean():.3f} |")


def fit(index: Index, rows: Sequence[Row], measured: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Weights that put the right guide first on the choosing half (a softmax over the guides, plain descent)."""
    sets = [(np.stack([each[name] for name in MEASURES]),
             [guide.slug for guide in index.shelves[row.preset].guides].index(row.guide))
            for row, each in zip(rows, measured, strict=True) if row.guide and row.tune]
    weights = np.array([1.0, 1.0, 0.3, 0.6, 0.3])
    for _ in range(400):
        slope = np.zeros(len(MEASURES))
        for values, right in sets:
            scores = 8 * weights @ values
            share = np.exp(scores - scores.max())
            slope += values @ (share / share.sum()) - values[:, right]
        weights = np.maximum(weights - 0.3 * slope / len(sets), 0)
        weights *= 3.2 / weights.sum()
    return dict(zip(MEASURES, map(float, weights.round(2)), strict=True))


async def ask(index: Index, rows: Sequence[Row]) -> list[Answer]:
    now = clock.now()
    return [await answer(None, index, row.question, row.preset, now) for row in rows]


def report(rows: Sequence[Row], answers: Sequence[Answer], tune: bool = False) -> None:
    """The figures of the issue, on the half that chose nothing (or, with `tune`, on the other)."""
    pairs = [(row, got) for row, got in zip(rows, answers, strict=True) if row.tune == tune]
    covered = [(row, got) for row, got in pairs if row.guide]
    bare = [got for row, got in pairs if not row.guide]
    named = [(row, got) for row, got in covered if row.field]
    wrong = [(row, got) for row, got in pairs if got.status == "answered" and not row.accepts(_first(got))]
    print(f"\nquestions: {len(covered)} covered, {len(bare)} not covered (the half that chose {'thresholds' if tune else 'nothing'})")
    print(f"top-1 {np.mean([_right(row, got, 1) for row, got in covered]):.3f}   "
          f"top-3 {np.mean([_right(row, got, 3) for row, got in covered]):.3f}")
    print(f"answered by the right guide {np.mean([got.status == 'answered' and row.accepts(_first(got)) for row, got in covered]):.3f}"
          f"   asked back {np.mean([got.status == 'clarify' for _, got in covered]):.3f}"
          f"   refused {np.mean([got.status in ('no_guide', 'out_of_scope') for _, got in covered]):.3f}")
    print(f"field right {np.mean([got.field == row.field for row, got in named]):.3f} of {len(named)}")
    print(f"wrong answers {len(wrong) / len(pairs):.3f} of all")
    print(f"refusals of what is not covered {np.mean([got.status != 'answered' for got in bare]):.3f}")
    print("\nmisses:")
    misses = wrong + [(row, got) for row, got in covered if not _right(row, got, 1) and (row, got) not in wrong]
    for row, got in misses[:40]:
        print(f"  {row.question} → {got.status} {_near(got)[:2]} score {got.candidates[0].score if got.candidates else 0:.2f}"
              f" (right: {row.guide})")
    print("\nfields missed:")
    for row, got in [(row, got) for row, got in named if got.field != row.field][:20]:
        print(f"  {row.question} → {got.status} {got.field} (right: {row.field})")


def _first(got: Answer) -> str | None:
    return got.citations[0].guide if got.citations else None


def _right(row: Row, got: Answer, places: int) -> bool:
    return any(row.accepts(slug) for slug in _near(got)[:places])


def _near(got: Answer) -> list[str]:
    near = [each.guide for each in got.candidates]
    cited = _first(got)
    return [cited, *(slug for slug in near if slug != cited)] if cited else near


def curve(index: Index, rows: Sequence[Row], measured: Sequence[dict[str, Any]], weights: Weights,
          tune: bool) -> list[tuple[float, float, float, float]]:
    """(threshold, answered share of covered, wrong share of all, refused share of uncovered)."""
    chosen = {name: getattr(weights, name) for name in MEASURES}
    scored = []
    for row, each in zip(rows, measured, strict=True):
        if row.tune == tune:
            scores = total(each, chosen)
            best = int(scores.argmax())
            scored.append((row, float(scores[best]), index.shelves[row.preset].guides[best].slug))
    points = []
    for threshold in np.arange(0.5, 3.0, 0.05):
        over = [(row, slug) for row, score, slug in scored if score >= threshold]
        wrong = sum(not row.accepts(slug) for row, slug in over) / len(scored)
        answered = sum(row.accepts(slug) for row, slug in over) / max(sum(bool(row.guide) for row, _, _ in scored), 1)
        bare = [score for row, score, _ in scored if not row.guide]
        points.append((float(threshold), answered, wrong, sum(score < threshold for score in bare) / len(bare)))
    return points


def draw(points: Sequence[tuple[float, float, float, float]], folder: Path) -> None:
    """The curve as a picture, where matplotlib is installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no picture: matplotlib is not installed (group dev)")
        return
    figure = Figure(figsize=(6, 4))
    axes = figure.add_subplot()
    axes.plot([point[2] for point in points], [point[1] for point in points], marker=".")
    axes.axvline(0.03, linestyle=":", color="grey")
    axes.set(xlabel="wrong answers, share of all questions", ylabel="answered rightly, share of covered questions",
             title="Answered against wrong, by threshold")
    path = folder / "guides_curve.png"
    figure.savefig(path, dpi=120)
    print(f"curve: {path}")


async def try_faq(vectors: bool) -> None:
    """The public FAQ: 103 standard questions as a knowledge base, asked its variants."""
    if not FAQ.exists():
        print("hall_faq: skipped, ../shared/data is absent")
        return
    told = [json.loads(line) for line in FAQ.read_text("utf-8").splitlines() if line.strip()]
    index = Index(vectors)
    await index.load([Guide(each["intent"], "hall", each["standard"], "", {}) for each in told])
    shelf, ranks = index.shelves["hall"], []
    own = {guide.slug: number for number, guide in enumerate(shelf.guides)}
    for each in told:
        for variant in each["variants"]:
            said = shelf.read(variant)
            measures = shelf.measure(said, await index.embedder.query(said) if shelf.has_vectors else None).guides
            weights = shelf.weights
            scores = total(measures, {name: getattr(weights, name) for name in MEASURES})
            ranks.append(int((scores > scores[own[each["intent"]]]).sum()))
    ranked = np.array(ranks)
    print(f"hall_faq, {len(ranks)} variants: R@1 {(ranked == 0).mean():.3f}   R@5 {(ranked < 5).mean():.3f}")
    index.close()


def try_speed(questions: Sequence[str]) -> None:
    """100,000 sections made from the shipped guides' words, shuffled; words alone, then with a vector."""
    chance = np.random.default_rng(7)
    source = [section.text for each in shipped() for section in each.guide.sections()]
    guides = []
    for number in range(5_600):
        fields = {field.name: "".join(chance.permutation(list(source[chance.integers(len(source))][:80])))
                  for field in FIELDS[:-1]}
        guides.append(Guide(f"g{number}", "hall", source[chance.integers(len(source))][:12], "说明", fields,
                            aliases=(source[chance.integers(len(source))][:8],)))
    shelf = Shelf(guides)
    print(f"\nspeed over {len(shelf.sections)} sections:")
    for name, vector in (("words", None), ("words and vector", chance.normal(size=384).astype(np.float32))):
        if vector is not None:
            shelf.set_vectors(chance.normal(size=(len(shelf.lines), 384)).astype(np.float32))
        times = []
        for question in questions[:200]:
            began = time.perf_counter()
            shelf.search(question, vector)
            times.append((time.perf_counter() - began) * 1000)
        print(f"  {name}: p50 {np.percentile(times, 50):.1f} ms   p95 {np.percentile(times, 95):.1f} ms")


async def main(arguments: Sequence[str]) -> None:
    folder = Path(next((each for each in arguments if not each.startswith("-")), tempfile.gettempdir()))
    vectors = "--words" not in arguments
    guides = [each.guide for each in shipped()]
    index = Index(vectors, folder / "huiyin-vectors")
    await index.load(guides)
    rows = read_rows({(guide.preset, guide.slug) for guide in guides})
    measured = await measure(index, rows)
    if "--fit" in arguments:
        weights = fit(index, rows, measured)
        print("weights:", weights)
        fitted = dataclasses.replace(default_weights(), **weights)
        for point in curve(index, rows, measured, fitted, tune=True):
            print("  threshold {:.2f}: answered {:.3f}, wrong {:.3f}, refused {:.3f}".format(*point))
        return
    compare(index, rows, measured)
    report(rows, await ask(index, rows), tune="--tuned" in arguments)
    draw(curve(index, rows, measured, default_weights(vectors), tune=False), folder)
    await try_faq(vectors)
    if "--no-speed" not in arguments:
        try_speed([row.question for row in rows])
    index.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
