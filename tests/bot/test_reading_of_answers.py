"""What one answer adds to a draft: places heard wrongly, who speaks for whom, since when, and what is no answer at all."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from actions import reading
from actions.places import corrected_place, place_in_other_words

NOW = "2026-11-26T10:00:00+08:00"


def entity(text: str, kind: str, value: str, **more: Any) -> dict[str, Any]:
    """An entity where it stands in the text."""
    start = text.index(value)
    return {"entity": kind, "value": value, "start": start, "end": start + len(value), **more}


def read(text: str, *entities: dict[str, Any], requested: str | None = None, intent: str = "inform", **slots: Any) -> dict[str, Any]:
    """What a message adds, as the form reads it."""
    message = {"text": text, "entities": list(entities), "intent": {"name": intent}}
    return reading.read(slots, message, requested, NOW)


@pytest.mark.parametrize(("said", "place"), [
    ("我住在8洞五但元三零二", "8栋5单元302"), ("8洞", "8栋"), ("7动302", "7栋302"), ("五但元", "5单元"),
    ("八洞一单元十二零三", "8栋1单元1203"), ("room 502 building 3", "3栋502室"), ("Unit 2, Block B", "B栋2单元"),
])
def test_a_house_number_that_a_voice_input_or_a_foreigner_wrote_is_read(said: str, place: str) -> None:
    assert place_in_other_words(said) == place


@pytest.mark.parametrize("said", ["墙上有2洞", "今年8动工", "路上有3洞2处", "3栋1单元602", "这块地要动了", "in my room it is cold"])
def test_what_only_looks_like_a_misheard_house_number_is_left_alone(said: str) -> None:
    assert place_in_other_words(said) is None


@pytest.mark.parametrize("intent", ["urge", "ask_status", "withdraw"])
def test_who_presses_or_asks_has_not_said_where_he_lives(intent: str) -> None:
    assert "place" not in read("催一下吧", requested="place", intent=intent, what="楼上太吵")


def test_a_place_alone_says_where_and_not_what() -> None:
    new = read("6栋2单元", entity("6栋2单元", "place", "6栋2单元"))
    assert new["place"] == "6栋2单元"
    assert "what" not in new


def test_when_somebody_is_at_home_is_not_when_it_happened() -> None:
    text = "她今天下午在家"
    assert "happened" not in read(text, entity(text, "time", "今天下午", **{"from": "2026-11-26T12:00:00+08:00"}), what="暖气不热")


def test_what_lasts_since_october_did_not_begin_when_he_complained() -> None:
    text = "自2026年10月以来楼上渗水，11月5日去登记过"
    new = read(text, entity(text, "time", "2026年10月", **{"from": "2026-10-01T00:00:00+08:00"}),
               entity(text, "time", "11月5日", **{"from": "2026-11-05T00:00:00+08:00"}))
    assert (new["happened"], new["happened_at"]) == ("自2026年10月以来", "2026-10-01T00:00:00+08:00")


def test_every_midnight_is_more_than_midnight() -> None:
    text = "楼上天天半夜吵"
    assert read(text, entity(text, "time", "半夜", **{"from": "2026-11-26T00:00:00+08:00"}))["happened"] == "天天半夜"


@pytest.mark.parametrize(("said", "who"), [
    ("帮我爸报个修", "爸"), ("我想替奶奶问一下", "奶奶"), ("昨天帮我奶奶提菜上楼", None),
    ("师傅帮我妈修好了", None),
])
def test_who_speaks_for_his_mother_is_told_from_who_was_kind_to_her(said: str, who: str | None) -> None:
    assert (read(said)["extra"].get("on_behalf_of") or {}).get("relation") == who


@pytest.mark.parametrize("said", ["别打电话 微信上说就行", "不要打电话给我", "不用给我打电话"])
def test_who_wants_no_call_has_answered_the_question_for_his_number(said: str) -> None:
    assert read(said, requested="phone", what="楼上太吵", place="6栋")["phone"] == reading.SKIPPED


def test_a_name_below_a_letter_is_who_wrote_it() -> None:
    text = "我家水管漏水，麻烦派人来修。\n王芳"
    assert read(text, entity(text, "person", "王芳"))["extra"]["name"] == "王芳"


def test_a_number_read_aloud_is_one_that_can_be_dialled() -> None:
    text = "电话是幺三九零零零零二二二二"
    assert read(text, entity(text, "phone", "幺三九零零零零二二二二"))["phone"] == "13900002222"


@pytest.mark.parametrize("said", ["139000088", "别让他知道是我说的"])
def test_a_mistyped_number_and_the_wish_for_confidence_are_no_part_of_the_story(said: str) -> None:
    assert "what" not in read(said, requested="phone", what="电梯坏了", place="6栋")


@pytest.mark.parametrize("length", range(138, 152))
def test_a_long_story_is_never_cut_within_a_number(length: int) -> None:
    assert "<" not in reading.short("字" * length + "<PHONE_1>" + "字" * 40).replace("<PHONE_1>", "")


@pytest.mark.parametrize(("said", "kind"), [
    ("我点错了，我想投诉", "complaint"), ("不是投诉，是报修", "request"), ("按错了，要提建议", "suggestion"), ("我要投诉电梯", None),
    ("你们弄错了", None),
])
def test_the_wrong_button_is_put_right_by_a_word(said: str, kind: str | None) -> None:
    assert reading.kind_of_slip(said) == kind


@pytest.mark.parametrize(("what", "asked"), [("我要退装修押金", False), ("停车费多扣了请退给我", False), ("水管漏了请来修", True)])
def test_money_has_no_place_to_go_to(what: str, asked: bool) -> None:
    assert ("place" in reading.needed("request", {"what": what}, False, everything=True)) is asked


@pytest.mark.parametrize(("said", "plain"), [
    ("我要退装修押金", True), ("请退还多收的物业费", True), ("押金拖了半年不退", False), ("他们扣着押金不退", False), ("我退休了想问社保费", False),
])
def test_money_demanded_plainly_is_a_request_and_money_refused_is_none(said: str, plain: bool) -> None:
    assert reading.demands_money_plainly(said) is plain


@pytest.mark.parametrize(("said", "written"), [
    ("二零二六一一二六杠零零零一七", "20261126-00017"), ("零零幺七", "0017"), ("幺三九洞洞洞洞二二二拐", "13900002227"),
    ("HY20261126-00017", "HY20261126-00017"), ("三号楼", "三号楼"),
])
def test_a_number_read_aloud_is_written_in_digits(said: str, written: str) -> None:
    assert reading.in_digits(said) == written


@pytest.mark.parametrize(("named", "own"), [
    ("20261126-00017", True), ("2026112600017", True), ("0017", True), ("HY20261126-00017", True),
    ("20261125-00017", False), ("WO20261126-00017", False), ("00018", False),
])
def test_a_number_of_another_day_or_another_office_is_not_taken_for_ones_own_ticket(named: str, own: bool) -> None:
    assert reading.is_meant("HY20261126-00017", named) is own


@pytest.mark.parametrize(("said", "urges"), [
    ("那你帮我登记一下", True), ("那就给我报上去吧", True), ("好的，麻烦帮我记录一下，谢谢", True), ("就在登记处", False), ("报社门口", False),
    ("你帮我登记到6栋", False),
])
def test_who_urges_to_register_says_nothing_else(said: str, urges: bool) -> None:
    assert reading.urges_to_register(said) is urges


@pytest.mark.parametrize("said", ["就我们那栋", "那你帮我登记一下", "我家这边"])
def test_what_names_no_place_is_not_written_down_as_one(said: str) -> None:
    assert not {"place", "what"} & set(read(said, requested="place", what="电梯里的灯坏了"))


@pytest.mark.parametrize(("said", "time"), [("浙B00000，白色的", False), ("过年那会儿", True), ("搬来以后", True), ("下午三点多", True), ("就将将儿", True), ("头先", True)])
def test_an_answer_without_a_word_of_time_says_no_time(said: str, time: bool) -> None:
    assert ("happened" in read(said, requested="happened", what="车位被占", place="6栋")) is time


@pytest.mark.parametrize(("said", "places", "meant"), [
    ("不是1幢，是11幢", ("1幢", "11幢"), "11幢"), ("是12栋不是2栋", ("12栋", "2栋"), "12栋"), ("是不是6栋", ("6栋",), "6栋"),
])
def test_a_place_that_is_denied_does_not_count(said: str, places: tuple[str, ...], meant: str) -> None:
    starts = {place: re.search(rf"(?<!\d){place}", said).start() for place in places}  # type: ignore[union-attr]
    entities = [{"entity": "place", "value": place, "start": at, "end": at + len(place)} for place, at in starts.items()]
    assert read(said, *entities)["place"] == meant


@pytest.mark.parametrize(("said", "asks"), [
    ("我不是要投诉，我就想知道这个归谁管", True), ("不想登记，先咨询一下", True), ("不是投诉，是报修", False), ("我就想问问什么时候来修", False),
    ("我不想报修了", False), ("不是投诉，就是想表扬一下", False),
])
def test_who_only_asks_wants_no_ticket(said: str, asks: bool) -> None:
    assert reading.only_asks(said) is asks


@pytest.mark.parametrize(("old", "said", "place"), [
    ("3幢", "5幢", "5幢"), ("3幢2单元", "5幢", "5幢2单元"), ("3幢", "楼道", None), (None, "5幢", "5幢"), ("楼道", "5幢", "5幢"),
])
def test_a_correction_gives_a_ticket_another_place_if_it_is_as_exact(old: str | None, said: str, place: str | None) -> None:
    text = f"说错了，是{said}"
    assert corrected_place(old, text, [entity(text, "place", said)]) == place


@pytest.mark.parametrize(("said", "asks"), [
    ("对了师傅上门来看一下要收钱吗", True), ("要收费吗", True), ("你们几点下班，下班是几点", True), ("上门多少钱", True),
    ("他们凭什么收费", False), ("物业乱收费", False), ("收费窗口", False), ("收了我多少钱都不说", False),
])
def test_what_a_visit_costs_is_asked_and_not_told(said: str, asks: bool) -> None:
    assert reading.asks_of_us(said) is asks


@pytest.mark.parametrize(("said", "places", "before"), [
    ("那你给我报个修吧，9幢2201", ("9幢2201",), True), ("那就登记吧", (), True), ("这个问题帮我反映一下", (), True),
    ("那帮我报修，水管爆了", (), False), ("给我报个修", (), False), ("那是9幢2201的事", ("9幢2201",), False),
])
def test_a_wish_to_register_without_a_matter_speaks_of_what_was_said_before(said: str, places: tuple[str, ...], before: bool) -> None:
    assert reading.speaks_of_before(said, [entity(said, "place", place) for place in places]) is before
