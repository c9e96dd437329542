"""The answered share against the wrong share, by the least sureness of an answer, as a picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.questions import Row
from core import clock
from knowledge_base.answer import Asked
from knowledge_base.index import Index

Point = tuple[float, float, float]
"""(threshold, answered rightly of what is covered, wrong of all)"""


async def points(index: Index, rows: Sequence[Row]) -> list[Point]:
    """What each threshold would answer; what is asked back counts as not answered."""
    sure = []
    for row in rows:
        asked = Asked(row.question, row.preset, clock.now(), index)
        asked.hits = await index.search(row.question, row.preset)
        if not asked.is_close:
            sure.append((asked.surest, row.accepts(asked.hits[0].guide.slug)))
    covered = sum(bool(row.guide) for row in rows)
    return [(float(threshold),
             sum(right for sureness, right in sure if sureness >= threshold) / covered,
             sum(not right for sureness, right in sure if sureness >= threshold) / len(rows))
            for threshold in np.arange(0, 8, 0.2)]


async def draw(index: Index, rows: Sequence[Row], path: Path) -> Path | str:
    """Where the picture lies; in words why there is none."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "no picture, matplotlib is not installed (group dev)"
    found = await points(index, rows)
    chosen = Asked("", rows[0].preset, clock.now(), index).limits["answer"]
    at = min(found, key=lambda point: abs(point[0] - chosen))
    figure = Figure(figsize=(6, 4))
    axes = figure.add_subplot()
    axes.plot([wrong for _, _, wrong in found], [answered for _, answered, _ in found], marker=".")
    axes.plot(at[2], at[1], "o", label=f"in force: {chosen}")
    axes.axvline(0.03, linestyle=":", color="grey", label="most that may be wrong")
    axes.set(xlabel="wrong answers, share of all questions", ylabel="answered rightly, share of covered questions",
             title="Answered against wrong, by the least sureness of an answer")
    axes.legend(loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return path
