"""Where a message tells two matters, which of them are tickets of their own, and what is shared."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from actions.parts import Part, cut, join, only, read_parts, slots_of_other, words_of

NOW = "2026-11-26T10:00:00+08:00"


def parts_of(text: str) -> list[str]:
    message = {"text": text}
    return [words_of(message, Part(begin, end, None, "", 0)) for begin, end in cut(message)]


@pytest.mark.parametrize(("text", "parts"), [
    ("6栋电梯坏了请派人来修，另外楼下垃圾没人清", ["6栋电梯坏了请派人来修", "楼下垃圾没人清"]),
    ("6栋电梯坏了，顺便问一下物业费怎么交", ["6栋电梯坏了", "问一下物业费怎么交"]),
    ("一是电梯坏了，二是垃圾没人清", ["电梯坏了", "垃圾没人清"]),
    ("1、电梯坏了 2、楼道灯不亮", ["电梯坏了", "楼道灯不亮"]),
    ("路灯坏了，还有一件事，垃圾没人收", ["路灯坏了", "垃圾没人收"]),
])
def test_a_message_is_cut_where_its_words_begin_another_matter(text: str, parts: list[str]) -> None:
    assert parts_of(text) == parts


@pytest.mark.parametrize("text", [
    "", "另外", "还有三个月到期怎么办", "第二天又坏了", "我还有一件事，建议种树", "6栋2.5米的墙裂了", "路灯坏了还有垃圾",
    "住在第二单元", "二楼漏水",
])
def test_words_that_only_look_like_another_matter_cut_nothing(text: str) -> None:
    assert len(cut({"text": text})) <= 1


@pytest.mark.parametrize(("said", "words"), [
    ("还有楼道灯也坏了", "楼道灯也坏了"), ("还有一件事，垃圾没人收", "垃圾没人收"), ("还有人在楼道抽烟", "还有人在楼道抽烟"),
    ("还有5天就到期了", "还有5天就到期了"),
])
def test_another_matter_begins_without_the_words_that_lead_to_it(said: str, words: str) -> None:
    assert words_of({"text": said}, Part(0, len(said), None, "", 0)) == words


def test_a_long_letter_is_cut_where_the_assistant_saw_its_wishes() -> None:
    text = "我是6栋的业主，电梯坏了三天。" + "老人上下楼很不方便。" * 5 + "楼下垃圾也堆了一个星期没人清，请管一管。"
    begins = text.index("楼下垃圾")
    message = {"text": text, "matters": [{"start": 8, "end": 20}, {"start": begins, "end": len(text)}]}
    assert cut(message) == [(0, begins), (begins, len(text))]


@pytest.mark.parametrize(("first", "second", "tickets"), [
    pytest.param(("request", "lifts", .9), ("complaint", "cleaning", .9), 2, id="two topics"),
    pytest.param(("request", "lifts", .9), ("complaint", "lifts", .9), 1, id="of one thing"),
    pytest.param(("complaint", "noise", .9), ("complaint", "cleaning", .2), 1, id="not sure"),
    pytest.param(("complaint", "lifts", .9), ("suggestion", "lifts", .2), 2, id="a suggestion"),
    pytest.param(("complaint", "lifts", .9), (None, "", 0), 1, id="no matter"),
    pytest.param((None, "", 0), ("complaint", "lifts", .9), 1, id="a greeting first"),
    pytest.param(("consultation", "fees", .9), ("consultation", "lifts", .9), 1, id="two questions"),
])
def test_two_parts_are_two_tickets_only_where_they_are_surely_about_two_things(first, second, tickets) -> None:
    joined = join([Part(0, 5, *first), Part(5, 9, *second)])
    assert len(joined) == tickets and (joined[0].start, joined[-1].end) == (0, 9)
    assert joined[0].kind == (first[0] or second[0])


def test_a_long_list_becomes_three_tickets_at_most_and_loses_nothing() -> None:
    kinds = [("complaint", code) for code in "abcdef"]
    joined = join([Part(n, n + 1, kind, code, .9) for n, (kind, code) in enumerate(kinds)])
    assert len(joined) == 3 and joined[-1].end == 6


def test_place_and_time_belong_to_their_part_and_number_and_confidence_to_both() -> None:
    text = "6栋电梯坏了请派人来修，电话<PHONE_1>，请保密。另外5栋楼下垃圾没人清"
    entities = [{"entity": kind, "value": value, "start": text.index(value), "end": text.index(value) + len(value)}
                for kind, value in (("place", "6栋"), ("phone", "<PHONE_1>"), ("place", "5栋"))]
    cut_at = text.index("另外")
    parts = [Part(0, cut_at, "request", "lifts", .9), Part(cut_at, len(text), "complaint", "cleaning", .9)]
    message = {"text": text, "entities": entities}
    assert only(message, parts[1])["entities"] == [entities[2] | {"start": 0, "end": 2}]
    draft = read_parts(message, parts, {}, NOW)
    other = slots_of_other(draft, draft["extra"]["others"][0])
    assert (draft["kind"], draft["place"], draft["phone"]) == ("request", "6栋", "<PHONE_1>")
    assert (other["kind"], other["place"], other["phone"]) == ("complaint", "5栋", "<PHONE_1>")
    assert "垃圾" in other["what"] and "电梯" not in other["what"] and "垃圾" not in draft["what"]
    assert draft["extra"]["confidential"] and other["extra"] == {"confidential": True}


def test_a_second_matter_without_a_place_is_where_the_first_one_is_unless_it_needs_none() -> None:
    slots = {"place": "6栋2单元", "phone": None, "extra": {}}
    assert slots_of_other(slots, {"kind": "complaint", "what": "垃圾没人清"})["place"] == "6栋2单元"
    assert slots_of_other(slots, {"kind": "complaint", "what": "物业费多收了"})["place"] is None
    assert slots_of_other(slots, {"kind": "complaint", "what": "楼道太脏", "place": "楼道"})["place"] == "6栋2单元楼道"
    assert slots_of_other(slots, {"kind": "complaint", "what": "太吵", "place": "5栋"})["place"] == "5栋"
    assert slots_of_other(slots, {"kind": "suggestion", "what": "多种点树"})["place"] is None
