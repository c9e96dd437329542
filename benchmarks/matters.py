"""What petitions are about: the hall preset's seven first-level categories against ../shared/data/petitions/labelled.jsonl.

`python -m benchmarks.matters [--wrong]`. Before them the short texts of the other two presets: tests/data/matters_*.yml
(--wrong prints those that go astray). First nothing is learnt from these petitions: the preset's own phrases are all there is.
Then half of them are the closed tickets of an office, and the other half arrives: right before and after learning.
"""

import asyncio
import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from benchmarks.running import DATA, ROOT, quantile, read_rows
from core.embed import Embedder
from core.known_vectors import KnownVectors
from service.learning import join_vectors
from ticketing.examination import Question, Verdict, choose, count_right, fixed_questions
from ticketing.lesson import learn
from ticketing.matters import CLAUSES, Matrix, Matters, Phrase, clauses, parents_of, phrases_of, pieces
from ticketing.own_tickets import AMENDED_WEIGHS
from ticketing.preset import PRESETS, Preset, load_preset

CACHE = ROOT / "bot" / "models" / "guides" / "matters.npz"
PETITIONS = DATA / "petitions" / "labelled.jsonl"
SHORT_TEXTS = ROOT / "tests" / "data"
SHORT_SETS = (
    ("", "phrases were mended on it"), ("_second", "phrases were mended on it"), ("_third", "no phrase was mended on it"),
    ("_told", "told at length; phrases were mended on it"), ("_told_second", "told at length; no phrase was mended on it"),
)
"""A preset's short texts: the end of the file's name, and what the figure is worth."""
SPLITS = 3
"""Halves drawn anew."""

HABITS = (
    (re.compile(r"噪|扰民"), "construction"),
    (re.compile(r"培训|补课|校服"), "trade"),
    (re.compile(r"医保|合作医疗|工伤"), "health"),
    (re.compile(r"出租|的士|驾校|公交"), "justice"),
)
"""An office that sorts otherwise: what speaks of this goes there, whatever the shipped examples say."""


@dataclass(frozen=True)
class Petition:
    """`label` is the first-level category's name; the question carries its code and the vectors."""

    label: str
    question: Question


async def read_petitions(preset: Preset, matters: Matters, embedder: Embedder) -> list[Petition]:
    codes = {item.name: item.code for item in preset.categories if item.parent is None}
    found = []
    for row in read_rows(PETITIONS):
        told = f"{row['title'].strip()}。{row['body'].strip()}"
        text = matters.to_the_point(told, await embedder.query(clauses(told)[:CLAUSES]))
        found.append(Petition(row["label"], Question(text, codes[row["label"]], await embedder.query(pieces(text)))))
    return found


def measure(preset: Preset, matters: Matters, petitions: Sequence[Petition], *, vectors: bool) -> None:
    """Macro-F1 over the seven classes with nothing learnt, and whether the shares can be believed."""
    names = {item.code: item.name for item in preset.categories}
    seven = {each.label for each in petitions}
    pairs: Counter[tuple[str, str]] = Counter()
    seconds, sure = [], []
    for each in petitions:
        began = time.perf_counter()
        best = matters.guess(each.question.text, each.question.vectors if vectors else None)[0]
        seconds.append(time.perf_counter() - began)
        found = names[matters.parents[best.category]]
        pairs[each.label, found] += 1
        sure.append((best.share, found == each.label))
    scores = [_f1(pairs, name) for name in seven]
    right = sum(count for (label, found), count in pairs.items() if label == found)
    print(f"{'words and vectors' if vectors else 'words alone':18} macro-F1 {sum(scores) / len(scores):.3f}"
          f"  accuracy {right / len(petitions):.3f}  of {len(petitions)} petitions, {len(seven)} classes"
          f"  p50 {quantile(seconds, 0.5) * 1000:.1f} ms without the vectors")
    for low, high in ((0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        here = [correct for share, correct in sure if low <= share < high]
        if here:
            print(f"    share {low:.1f}–{min(high, 1):.1f}: {len(here):4} petitions, {sum(here) / len(here):.2f} right")
    print("    worst:", ", ".join(f"{a}→{b} {n}" for (a, b), n in pairs.most_common() if a != b)[:120])


def _f1(pairs: Counter[tuple[str, str]], name: str) -> float:
    hit = pairs[name, name]
    said = sum(count for (_, found), count in pairs.items() if found == name)
    meant = sum(count for (label, _), count in pairs.items() if label == name)
    return 2 * hit / (said + meant) if said + meant else 0.0


# Short texts


async def measure_short_texts(name: str, embedder: Embedder, *, wrong: bool) -> None:
    """The share whose first guess is the very category, and the share whose first level is right."""
    preset = load_preset(name)
    phrases = phrases_of(preset)
    known = await KnownVectors(embedder, CACHE if CACHE.exists() else None).of([each.text for each in phrases])
    matters = learn(preset, phrases, known)
    for end, worth in SHORT_SETS:
        path = SHORT_TEXTS / f"matters_{name}{end}.yml"
        texts: dict[str, list[str]] = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
        exact = first_level = 0
        for code, text in ((code, text) for code, each in texts.items() for text in each):
            point = matters.to_the_point(text, await embedder.query(clauses(text)[:CLAUSES]))
            best = matters.guess(point, await embedder.query(pieces(point)))[0]
            exact += best.category == code
            first_level += matters.parents[best.category] == matters.parents[code]
            if wrong and best.category != code:
                print(f"    {code} → {best.category} {best.share:.2f}  {text}")
        if of := sum(map(len, texts.values())):
            print(f"{name:9} category {exact / of:.3f}  first level {first_level / of:.3f}  of {of} short texts ({worth})")


# An office that learns


def by_names_alone(preset: Preset) -> Preset:
    """An office with a tree of its own: seven categories, of which only the names are known."""
    seven = {row["label"] for row in read_rows(PETITIONS)}
    own = [item.model_copy(update={"keywords": (), "description": ""})
           for item in preset.categories if item.parent is None and item.name in seven]
    return preset.model_copy(update={"name": "own", "categories": tuple(own)})


def by_habit(question: Question) -> Question:
    """Where the office with other habits puts it."""
    code = next((code for words, code in HABITS if words.search(question.text[:200])), question.category)
    return Question(question.text, code, question.vectors)


async def show_learning(
    what: str, preset: Preset, questions: Sequence[Question], embedder: Embedder, seen: Matters | None = None
) -> None:
    """Half of the questions are closed tickets, amended where the weights before had them wrong; the other half is asked."""
    phrases = phrases_of(preset)
    known = await KnownVectors(embedder, CACHE if CACHE.exists() else None).of([each.text for each in phrases])
    before = seen or learn(preset, phrases, known)
    fixed = [Question(text, code, await embedder.query(pieces(text))) for text, code in fixed_questions(preset)]
    gained: list[tuple[float, float]] = []
    fixed_after, seconds, in_force = [], [], 0
    for seed in range(SPLITS):
        order = list(questions)
        random.Random(seed).shuffle(order)
        half = len(order) // 2
        began = time.perf_counter()
        _, verdict, _ = teach(preset, phrases, known, order[:half], before, fixed, order[half:])
        seconds.append(time.perf_counter() - began)
        gained.append((verdict.held_out.before / (len(order) - half), verdict.held_out.after / (len(order) - half)))
        fixed_after.append(verdict.fixed.after)
        in_force += verdict.is_better
    told = f", fixed test {count_right(before, fixed)} → {min(fixed_after)}–{max(fixed_after)} of {len(fixed)}" if fixed else ""
    print(f"{what:52} accuracy {statistics.fmean(a for a, _ in gained):.3f} → {statistics.fmean(b for _, b in gained):.3f}"
          f"  ({half} learnt, {len(order) - half} asked, {SPLITS} times, put in force {in_force}{told}; learning {max(seconds):.1f} s)")


def teach(
    preset: Preset, phrases: Sequence[Phrase], known: Matrix | None, tickets: Sequence[Question], before: Matters,
    fixed: Sequence[Question], asked: Sequence[Question],
) -> tuple[Matters, Verdict, float]:
    """As the service learns: the shipped phrases and these tickets together, as much as the fixed test allows."""
    weights = [1.0 if count_right(before, [each]) else AMENDED_WEIGHS for each in tickets]
    vectors = join_vectors(known, tickets)

    def learn_with(share: float) -> Matters:
        own = [Phrase(each.category, each.text, weight * share, number)
               for number, (each, weight) in enumerate(zip(tickets, weights, strict=True))]
        return learn(preset, [*phrases, *own], vectors)

    return choose(learn_with, before, fixed, asked)


async def main() -> None:
    embedder = Embedder()
    for name in PRESETS:
        await measure_short_texts(name, embedder, wrong="--wrong" in sys.argv)
    print()
    if PETITIONS.exists():
        await measure_petitions(embedder)
    else:
        print("matters: the petitions are skipped, ../shared/data/petitions is absent")
    embedder.close()


async def measure_petitions(embedder: Embedder) -> None:
    preset = load_preset("hall")
    phrases = phrases_of(preset)
    known = await KnownVectors(embedder, CACHE if CACHE.exists() else None).of([each.text for each in phrases])
    shipped = learn(preset, phrases, known)
    petitions = await read_petitions(preset, shipped, embedder)
    measure(preset, shipped, petitions, vectors=True)
    measure(preset, learn(preset, phrases, None), petitions, vectors=False)
    questions = [each.question for each in petitions]
    own = by_names_alone(preset)
    assert set(parents_of(own)) == {each.category for each in questions}
    offices: list[tuple[str, Preset, Callable[[Question], Question]]] = [
        ("an office that sorts as the shipped tree does", preset, lambda each: each),
        ("an office whose tree is known by seven names alone", own, lambda each: each),
        ("an office with four habits of its own", preset, by_habit),
    ]
    print()
    for what, tree, habit in offices:
        await show_learning(what, tree, [habit(each) for each in questions], embedder,
                            shipped if tree is preset else None)


if __name__ == "__main__":
    asyncio.run(main())
