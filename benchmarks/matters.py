"""What petitions are about: the hall preset's seven first-level categories against ../shared/data/petitions/labelled.jsonl.

`python -m benchmarks.matters`. Nothing is learnt from these petitions: the preset's own phrases are all there is.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks.running import DATA, ROOT, quantile, read_rows
from core.embed import Embedder
from core.known_vectors import KnownVectors
from ticketing.matters import Matters, Phrase, phrases_of, pieces
from ticketing.preset import Preset, load_preset

CACHE = ROOT / "bot" / "models" / "guides" / "matters.npz"


async def measure(preset: Preset, phrases: Sequence[Phrase], *, vectors: bool) -> None:
    embedder = Embedder(vectors)
    known = await KnownVectors(embedder, CACHE if CACHE.exists() else None).of([each.text for each in phrases])
    matters = Matters(preset, phrases, known)
    names = {item.code: item for item in preset.categories}
    rows = read_rows(DATA / "petitions" / "labelled.jsonl")
    seven = {row["label"] for row in rows}
    pairs: Counter[tuple[str, str]] = Counter()
    seconds, sure = [], []
    for row in rows:
        text = f"{row['title'].strip()}。{row['body'].strip()}"
        made = await embedder.query(pieces(text))
        began = time.perf_counter()
        best = matters.guess(text, made)[0]
        seconds.append(time.perf_counter() - began)
        found = names[names[best.category].parent or best.category].name
        pairs[row["label"], found] += 1
        sure.append((best.share, found == row["label"]))
    scores = [_f1(pairs, name) for name in seven]
    right = sum(count for (label, found), count in pairs.items() if label == found)
    print(f"{'words and vectors' if vectors else 'words alone':18} macro-F1 {sum(scores) / len(scores):.3f}"
          f"  accuracy {right / len(rows):.3f}  of {len(rows)} petitions, {len(seven)} of {len(preset.departments)}"
          f"+ categories  p50 {quantile(seconds, 0.5) * 1000:.1f} ms without the vectors")
    for low, high in ((0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        here = [correct for share, correct in sure if low <= share < high]
        if here:
            print(f"    share {low:.1f}–{min(high, 1):.1f}: {len(here):4} petitions, {sum(here) / len(here):.2f} right")
    print("    worst:", ", ".join(f"{a}→{b} {n}" for (a, b), n in pairs.most_common() if a != b)[:120])
    embedder.close()


def _f1(pairs: Counter[tuple[str, str]], name: str) -> float:
    hit = pairs[name, name]
    said = sum(count for (_, found), count in pairs.items() if found == name)
    meant = sum(count for (label, _), count in pairs.items() if label == name)
    return 2 * hit / (said + meant) if said + meant else 0.0


async def main() -> None:
    if not (DATA / "petitions" / "labelled.jsonl").exists():
        print("matters: skipped, ../shared/data/petitions is absent")
        return
    preset = load_preset("hall")
    for vectors in (True, False):
        await measure(preset, phrases_of(preset), vectors=vectors)


if __name__ == "__main__":
    asyncio.run(main())
