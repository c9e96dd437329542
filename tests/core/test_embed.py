"""Sentence vectors, and everything without them."""

import numpy as np

from core.embed import SIZE, Embedder


async def test_vectors_that_are_switched_off_are_none() -> None:
    embedder = Embedder(enabled=False)
    assert not embedder.available
    assert await embedder.query(["居住证"]) is None


async def test_vectors_have_length_one_and_near_texts_are_nearer() -> None:
    embedder = Embedder()
    made = await embedder.query(["居住证怎么办", "怎么办理居住证", "电梯坏了有人被困"])
    embedder.close()
    assert made is not None
    assert (3, SIZE) == made.shape
    assert np.allclose(1, np.linalg.norm(made, axis=1), atol=1e-3)
    assert made[0] @ made[1] > made[0] @ made[2]


async def test_more_texts_than_are_remembered_still_come_back_in_order() -> None:
    embedder = Embedder(remember=1)
    first = await embedder.query(["甲", "乙"])
    again = await embedder.query(["乙", "甲"])
    embedder.close()
    assert first is not None and again is not None
    assert np.allclose(first[0], again[1], atol=1e-3)
