"""Every channel is in the registry under its own name; long text is split the same way for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import CHANNELS
from channels.base import Attempt, PermanentFailure
from channels.desk import Desk
from channels.text import split_text, within
from core.message import OutboundMessage


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_is_registered_under_its_own_name(name: str):
    assert CHANNELS[name].name == name


async def test_nothing_leaves_the_desk_by_itself():
    with pytest.raises(PermanentFailure):
        await Desk().send(OutboundMessage("desk", "main", "x", "答复", "reply"), Attempt(1, "desk"))


@given(st.text(alphabet="路灯坏了。！，,; \nab😀", max_size=400), st.integers(1, 40))
def test_parts_fit_and_nothing_but_white_space_is_lost(text: str, limit: int):
    fits = within(limit, limit * 4)
    parts = split_text(text, fits)
    assert all(fits(part) and part for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_part_ends_with_a_sentence_where_one_ends():
    assert split_text("一二三。四五六。七八九。", within(8)) == ["一二三。四五六。", "七八九。"]


def test_the_limit_in_bytes_counts_too():
    assert all(len(part.encode()) <= 2048 for part in split_text("灯" * 2000, within(2000, 2048)))
