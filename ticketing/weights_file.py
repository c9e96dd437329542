"""Learnt weights as bytes and back. The bytes hold keyed digests and numbers, no term and no text."""

import io
import json
import zlib
from typing import Any
from zipfile import BadZipFile

import numpy as np

from core.errors import HuiyinError
from ticketing.matters import ASIDE, Matrix, Matters, Name, Weights, parents_of
from ticketing.preset import Preset

FORMAT = 1
DIGITS = 16
"""Of a term's digest: two terms of a vocabulary of tens of thousands do not meet in 64 bits."""


class Unusable(HuiyinError):
    """The bytes are damaged, of another format, or learnt for other categories than the office has now: learn again."""


def write(matters: Matters) -> bytes:
    """Half precision: the shares move by less than a hundredth."""
    parts: dict[str, Any] = {
        "format": np.array(FORMAT),
        "parents": np.array(json.dumps(matters.parents)),
        "first_codes": np.array(matters.with_asides.codes),
        "every_codes": np.array(matters.every.codes),
        "names": np.array(matters.names, f"S{DIGITS}"),
        "rarity": matters.rarity,
        "first_words": matters.with_asides.words.astype(np.float16),
        "every_words": matters.every.words.astype(np.float16),
    }
    if matters.mean is not None and matters.with_asides.vectors is not None and matters.every.vectors is not None:
        parts |= {"mean": matters.mean, "first_vectors": matters.with_asides.vectors, "every_vectors": matters.every.vectors}
    written = io.BytesIO()
    np.savez_compressed(written, **parts)
    return written.getvalue()


def read(content: bytes, preset: Preset, name: Name) -> Matters:
    """Ready to guess the categories of this preset. Raises Unusable.

    A category that the office gave up is left out; one it has new, or moved, cannot be guessed, so all is learnt again.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            parts = {key: stored[key] for key in stored.files}
        if int(parts["format"]) != FORMAT:
            raise Unusable("它是另一版软件学成的，请重新学习")
        parents: dict[str, str] = json.loads(str(parts["parents"]))
        wanted = parents_of(preset)
        if any(parents.get(code) != parent for code, parent in wanted.items()):
            raise Unusable("类别表在它之后改过，请重新学习")
        names = [each.decode() for each in parts["names"].tolist()]
        return Matters(
            wanted, names, _numbers(parts["rarity"]), _numbers(parts["mean"]) if "mean" in parts else None,
            _level(parts, "first", {ASIDE, *wanted.values()}), _level(parts, "every", set(wanted)), name,
        )
    except (OSError, ValueError, KeyError, EOFError, IndexError, BadZipFile, zlib.error, AttributeError) as error:
        raise Unusable(f"它的内容已损坏（{type(error).__name__}）") from error


def _level(parts: dict[str, Any], level: str, wanted: set[str]) -> Weights:
    vectors = f"{level}_vectors"
    return Weights(
        parts[f"{level}_codes"].tolist(), _numbers(parts[f"{level}_words"]),
        _numbers(parts[vectors]) if vectors in parts else None,
    ).only(wanted)


def _numbers(stored: Any) -> Matrix:
    return np.asarray(stored, np.float32)
