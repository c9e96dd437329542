"""The training sentences, and their vectors that are shipped beside them: `cd bot && .venv/bin/python -m nlu.sentences`.

A vector costs ten to thirty milliseconds of two cores, so ten thousand would cost every set-up its minutes. What is not
shipped is made when it is first trained: the file needs writing anew only after many sentences have changed.
"""
from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import yaml

HERE = Path(__file__).parent
VECTORS = HERE / "vectors.npz"
STEPS = 127
_MARKED = re.compile(r"\[([^\[\]]+)\]\(\w+\)")


def read() -> list[tuple[str, str]]:
    """Every sentence without its marks, and its intent."""
    return [(_MARKED.sub(r"\1", line[2:]), block["intent"]) for file in sorted(HERE.glob("*.yml"))
            for block in yaml.safe_load(file.read_text(encoding="utf-8")).get("nlu", []) if "intent" in block
            for line in block["examples"].splitlines()]


def read_vectors() -> dict[str, np.ndarray]:
    """What is shipped: key of a text → its vector, to a 254th of its largest number."""
    with contextlib.suppress(OSError), np.load(VECTORS) as stored:
        vectors = stored["steps"].astype(np.float32) * stored["sizes"][:, None]
        return dict(zip((key.tobytes().hex() for key in stored["keys"]), vectors, strict=True))
    return {}


def write_vectors(known: Mapping[str, np.ndarray]) -> None:
    """Ship these vectors, one byte a number."""
    vectors = np.vstack(list(known.values()))
    sizes = (np.abs(vectors).max(axis=1) / STEPS).astype(np.float32)
    keys = np.array([list(bytes.fromhex(key)) for key in known], dtype=np.uint8)
    np.savez_compressed(VECTORS, keys=keys, sizes=sizes, steps=np.rint(vectors / sizes[:, None]).astype(np.int8))


def main() -> None:
    """Write the vectors of the sentences as they stand."""
    from nlu.components.engine import embed_all, key_of

    texts = sorted({text for text, _ in read()})
    write_vectors(dict(zip(map(key_of, texts), embed_all(texts), strict=True)))


if __name__ == "__main__":
    main()
