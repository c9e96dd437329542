"""Vectors are made once, and a damaged file costs time alone."""

from pathlib import Path

import numpy as np
import pytest

from core.embed import SIZE
from core.known_vectors import KnownVectors


class Engine:
    """Makes a vector of each text's length, and keeps what it was asked."""

    available = True

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def query(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        return np.stack([np.full(SIZE, len(text), np.float32) for text in texts])


async def test_a_text_is_made_into_a_vector_once_and_read_ever_after(tmp_path: Path) -> None:
    engine, path = Engine(), tmp_path / "lines.npz"
    first = await KnownVectors(engine, path).of(["一", "二二", "一"])
    again = await KnownVectors(engine, path).of(["二二", "一", "三三三"])
    assert engine.asked == ["一", "二二", "三三三"]
    assert first is not None and again is not None and [row[0] for row in again] == [2, 1, 3]


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04broken"])
async def test_a_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    engine, path = Engine(), tmp_path / "lines.npz"
    path.write_bytes(content)
    made = await KnownVectors(engine, path).of(["一"])
    assert made is not None and engine.asked == ["一"]
