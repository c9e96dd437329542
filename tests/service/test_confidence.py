"""A wish for confidence, and its taking back, called or written: what was said last holds."""

import sys
from pathlib import Path
from typing import Any

import pytest

from channels.transcripts import Turn
from service.hearing import draft_matters, hear
from tests.service.house import WORKDAY

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from datetime import datetime

from actions.parts import Part, read_other
from actions.person import confidence_in, wants_confidence
from actions.reading import give_up

LAST_WORD = [
    ("请替我保密", True), ("别让邻居知道是我说的", True), ("我怕被报复", True), ("你们会保密吧", True), ("楼上太吵了", None),
    ("不用保密了", False), ("不必给我保密", False), ("不要保密了", False), ("取消保密吧", False), ("保密就不用了", False),
    ("用不着保密，我不怕", False), ("我的名字可以公开", False), ("不保密也行", False), ("无需保密", False),
    ("请保密，算了，不用保密了", False), ("本来说不用保密，我想想还是给我保密吧", True), ("你们不能不保密啊", True),
]


def called(*words: str) -> bool:
    turns = [Turn(speaker="caller" if number % 2 else "agent", text=text, start_s=number, end_s=number + 1)
             for number, text in enumerate(("您好", *words))]
    (draft,) = draft_matters(hear(turns), {}, {}, "", datetime.fromisoformat(WORKDAY))
    return draft.confidential


@pytest.mark.parametrize(("text", "wish"), LAST_WORD, ids=lambda value: str(value))
def test_the_last_word_on_confidence_holds_in_chat_and_on_the_telephone(text: str, wish: bool | None):
    assert confidence_in(text) is wish
    assert wants_confidence(text) is (wish is True)
    assert called(f"6栋有人偷电，{text}") is (wish is True)


def test_who_takes_it_back_later_in_the_call_is_taken_at_his_word():
    assert called("6栋有人偷电，请保密", "好的", "算了，不用保密了") is False
    assert called("6栋有人偷电，不用保密", "好的", "那还是帮我保密吧") is True


def test_who_takes_back_his_wish_for_confidence_does_not_give_up_his_matter():
    assert give_up("算了") and give_up("算了，不投诉了") and not give_up("算了，不用保密了")


def told_beside(extra: dict[str, Any], text: str) -> dict[str, Any]:
    slots = {"kind": "request", "what": "6栋电梯坏了", "place": "6栋", "extra": extra}
    read: dict[str, Any] = read_other(slots, {"text": text}, Part(0, len(text), "complaint", "", 0.9), "phone", WORKDAY)
    return dict(read["extra"])


def test_with_another_matter_confidence_is_taken_back_as_it_is_asked_for():
    kept = told_beside({"confidential": True}, "对了，楼下的垃圾没人清，不用保密了")
    assert "confidential" not in kept and kept["others"][0]["kind"] == "complaint"
    assert told_beside({}, "对了，楼下的垃圾没人清，请保密")["confidential"] is True


def test_for_whom_he_spoke_first_is_not_overwritten_by_whom_he_names_with_another_matter():
    kept = told_beside({"on_behalf_of": {"relation": "妈"}}, "对了，替邻居说一下，楼下的垃圾没人清")
    assert kept["on_behalf_of"] == {"relation": "妈"}
    assert told_beside({}, "对了，替邻居说一下，楼下的垃圾没人清")["on_behalf_of"] == {"relation": "邻居"}
