"""What is read out of a message by form: danger, the wish for a person, what a long letter asks for, times and places."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from service import danger

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from nlu.components import gist, signs
from nlu.components.normal import fold, read_for_vector
from nlu.components.times import find_times

NOW = datetime.fromisoformat("2026-11-26T10:00:00+08:00")


@pytest.mark.parametrize("text", [
    "闻到一股煤气味", "我们被困在电梯里了", "三楼起火了快来人", "他拿着刀追人", "有人要跳楼", "孩子被锁在车里了",
    "有人触电倒地", "水已经涨到一楼窗户了", "燃氣洩漏", "我不想活了", "老人突然昏迷了", "救命啊",
])
def test_danger_is_seen_in_many_words(text: str) -> None:
    assert signs.see_danger(text)


@pytest.mark.parametrize("text", [
    "煤气费怎么交", "天然气怎么开户", "消防演练是什么时候", "火灾报警器在哪领", "燃气灶打不着火了", "救护车救了我妈，感谢你们",
    "忙得快累死了", "万一着火应该找谁", "去年这里着过火", "楼道堆杂物容易着火", "楼下烧烤店油烟太大", "想开个火锅店",
])
def test_what_only_speaks_of_danger_raises_no_alarm(text: str) -> None:
    assert signs.see_danger(text) is None


@pytest.mark.parametrize(("text", "wanted"), [
    ("转人工", True), ("我不要机器人，找个真人来", True), ("叫你们领导来跟我谈", True), ("人工", True),
    ("不用转人工", False), ("人工智能是什么", False), ("水管漏了请派人来修", False),
])
def test_the_wish_for_a_person_is_seen_and_its_refusal_too(text: str, wanted: bool) -> None:
    assert signs.wants_person(text) is wanted


def test_an_alarm_stands_first_and_the_shares_still_add_up() -> None:
    ranking = signs.decide([("complain", 0.7), ("report_emergency", 0.2), ("greet", 0.1)], "厨房着火了")
    assert ranking[0][0] == "report_emergency"
    assert sum(share for _, share in ranking) == pytest.approx(1.0)


LETTER = """尊敬的领导：您好！
首先感谢贵单位一直以来的支持。我家楼下的店铺天天半夜放音响。请你们尽快处理！
此致
敬礼
张先生 某某公司
"""


def test_a_letter_is_read_without_salutation_thanks_and_signature() -> None:
    sentences = gist.split(LETTER)
    assert [sentence.text.strip() for sentence in sentences] == ["我家楼下的店铺天天半夜放音响。", "请你们尽快处理！"]
    assert all(LETTER[sentence.start:sentence.end] == sentence.text for sentence in sentences)
    assert [sentence.asks for sentence in sentences] == [False, True]


def test_what_is_quoted_is_not_what_is_said() -> None:
    text = "> 您好，请问您要投诉什么？\n月卡没到期还扣了我的钱，退给我。\n"
    assert [sentence.text for sentence in gist.split(text)] == ["月卡没到期还扣了我的钱，退给我。"]


def test_a_letter_of_nothing_but_manners_is_still_read() -> None:
    assert len(gist.split("您好！谢谢！")) == 1


def test_two_wishes_are_told_apart_and_one_told_in_two_sentences_is_one() -> None:
    first, second, third = gist.split("楼上天天装修太吵了。物业根本不管。另外建议小区装几个充电桩。")
    matters = gist.find_matters([
        (first, [("complain", 0.9)]), (second, [("complain", 0.8)]), (third, [("suggest", 0.9)])])
    assert [(matter["intent"], matter["start"], matter["end"]) for matter in matters] == [
        ("complain", first.start, second.end), ("suggest", third.start, third.end)]
    assert gist.find_matters([(first, [("complain", 0.9)]), (second, [("complain", 0.8)])]) == []


@pytest.mark.parametrize(("said", "value", "begins"), [
    ("星期三15点有空吗", "星期三15点", "2026-12-02T15:00:00+08:00"),
    ("明儿下午来", "明儿下午", "2026-11-27T12:00:00+08:00"),
    ("约11/30下午", "11/30下午", "2026-11-30T12:00:00+08:00"),
    ("下週三下午可以嗎", "下週三下午", "2026-12-02T12:00:00+08:00"),
])
def test_times_are_read_as_residents_say_them(said: str, value: str, begins: str) -> None:
    (time,) = find_times(said, NOW)
    assert (said[time.start:time.end], time.begins.isoformat()) == (value, begins)


@pytest.mark.parametrize("said", ["六点钟方向那盏灯", "一时半会儿修不好", "3/4的业主同意", "说话注意点", "我有一点建议"])
def test_no_time_is_made_up(said: str) -> None:
    assert find_times(said, NOW) == []


def test_a_number_that_arrives_as_it_is_reads_like_its_token() -> None:
    assert read_for_vector("电话13800001234") == read_for_vector("电话<PHONE_1>")


def test_folding_keeps_every_offset() -> None:
    text = "電梯壞咗，唔該快啲嚟ＡＢＣ😡"
    assert len(fold(text)) == len(text)


def test_the_service_sees_the_same_danger_while_the_assistant_is_away() -> None:
    texts = [
        text for path in sorted((Path(__file__).parents[1] / "data").glob("understanding*.yml"))
        for rows in yaml.safe_load(path.read_text("utf-8"))["said"].values() for text in rows
    ]
    assert len(texts) > 700
    assert [text for text in texts if (danger.see(text) is None) != (signs.see_danger(text) is None)] == []


@pytest.mark.parametrize("text", ["地下车库B区23号车位旁边一直漏水", "B区二十三号车位旁边", "8号充电桩坏了", "3号电梯又停了"])
def test_the_number_of_a_thing_is_no_day(text: str) -> None:
    assert find_times(text, NOW) == []
