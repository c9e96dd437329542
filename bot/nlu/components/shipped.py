"""The vectors of the training sentences that are shipped beside them, one byte a number."""
from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

VECTORS = Path(__file__).resolve().parents[1] / "vectors.npz"
STEPS = 127


def read_vectors() -> dict[str, np.ndarray]:
    """What is shipped: key of a text → its vector, to a 254th of its largest number."""
    with contextlib.suppress(OSError), np.load(VECTORS) as stored:
        vectors = stored["steps"].astype(np.float32) * stored["sizes"][:, None]
        return dict(zip((key.tobytes().hex() for key in stored["keys"]), vectors, strict=True))
    return {}


def write_vectors(known: Mapping[str, np.ndarray]) -> None:
    """Ship these vectors."""
    vectors = np.vstack(list(known.values()))
    sizes = (np.abs(vectors).max(axis=1) / STEPS).astype(np.float32)
    keys = np.array([list(bytes.fromhex(key)) for key in known], dtype=np.uint8)
    np.savez_compressed(VECTORS, keys=keys, sizes=sizes, steps=np.rint(vectors / sizes[:, None]).astype(np.int8))
