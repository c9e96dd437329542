"""How long a search over 100,000 sections takes: words alone, and with the question's vector made anew each time."""

import asyncio
import time
from collections.abc import Iterator

import numpy as np

from core.embed import SIZE, Embedder
from knowledge_base.guide import FIELDS, Guide
from knowledge_base.library import shipped
from knowledge_base.shelf import Shelf

SECTIONS = 100_000
QUESTIONS = 200


def make_guides(chance: np.random.Generator) -> Iterator[Guide]:
    """Guides as long as the shipped ones, of their characters shuffled, until there are enough sections."""
    source = [section.text for each in shipped() for section in each.guide.sections()]
    fields = [field.name for field in FIELDS[:-1]]

    def piece(length: int) -> str:
        return "".join(chance.permutation(list(source[chance.integers(len(source))][:length])))

    for number in range(SECTIONS // len(fields) + 1):
        yield Guide(f"g{number}", "hall", piece(12), "", {name: piece(80) for name in fields}, aliases=(piece(8),))


async def main() -> None:
    chance = np.random.default_rng(7)
    began = time.perf_counter()
    shelf = await asyncio.to_thread(Shelf, list(make_guides(chance)))
    print(f"speed over {len(shelf.sections)} sections, made in {time.perf_counter() - began:.0f} s", flush=True)
    questions = [f"{each.guide.title}{ending}" for each in shipped() for ending in ("要带什么材料", "多少钱", "去哪里办")]
    await _run("words", shelf, None, questions[:QUESTIONS])
    shelf.set_vectors(chance.normal(size=(len(shelf.lines), SIZE)).astype(np.float32))
    embedder = Embedder(remember=0)
    await _run("words and vector", shelf, embedder, questions[:QUESTIONS])
    embedder.close()


async def _run(name: str, shelf: Shelf, embedder: Embedder | None, questions: list[str]) -> None:
    times = []
    for question in ["先热身一下", *questions]:
        began = time.perf_counter()
        vectors = await embedder.query(shelf.read(question)) if embedder else None
        shelf.search(question, vectors)
        times.append((time.perf_counter() - began) * 1000)
    print(f"{name}: p50 {np.percentile(times[1:], 50):.1f} ms   p95 {np.percentile(times[1:], 95):.1f} ms", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
