"""What is heard in a call: numbers as they are spoken, who says what, corrections, and the labelled calls."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.call_sets import SETS, Score, body_of, judge, load
from benchmarks.running import DATA
from channels.transcripts import FORMATS, Turn, read_transcript
from service.hearing import Draft, draft_matters, hear
from service.hearing.answers import corrects, says_yes
from service.hearing.matters import split_matters, words_of
from service.hearing.numbers import find_numbers, to_number, write_numerals
from tests.service.reading import read

START = datetime.fromisoformat("2026-11-26T10:00:00+08:00")
CALLS = DATA / "calls"


def draft(turns: list[Turn], caller: str = "") -> list[Draft]:
    pieces = hear(turns)
    parses = {number: read(piece.plain, START) for number, piece in enumerate(pieces)}
    gists = {ordinal: read(words_of([pieces[number] for number in numbers]), START)
             for ordinal, numbers in enumerate(split_matters(pieces))}
    return draft_matters(pieces, parses, gists, caller, START)


def said(*lines: str, caller: str = "") -> list[Draft]:
    """Lines that begin with a (agent) or c (caller)."""
    return draft([Turn("caller" if line[0] == "c" else "agent", None, None, line[2:]) for line in lines], caller)


@pytest.mark.parametrize(("text", "digits"), [
    pytest.param("幺三八零零五五幺幺零幺", "13800551101", id="telephone style"),
    pytest.param("一三八洞洞五五幺拐勾两", "13800551792", id="radio style"),
    pytest.param("一三八两个零，两个五，一一零三", "13800551103", id="repeats"),
    pytest.param("138，嗯，0055，呃，1104", "13800551104", id="with fillers"),
    pytest.param("一三八零零舞五一一零五", "13800551105", id="a homophone in the middle"),
])
def test_spoken_numbers_are_read(text: str, digits: str):
    (number,) = find_numbers(text)
    assert number.digits == digits and number.is_phone


@pytest.mark.parametrize("text", ["三栋二单元幺零二室", "一共五百八十块", "2026年11月", "一两个人", "这个月十五号"])
def test_what_counts_something_is_no_telephone_number(text: str):
    assert not any(number.is_phone for number in find_numbers(text))


def _seconds(do: Callable[[str], object], text: str) -> float:
    """Of this thread's own work, the least of three tries: what else the machine does only ever adds."""
    tries = []
    for _ in range(3):
        begun = time.thread_time()
        do(text)
        tries.append(time.thread_time() - begun)
    return min(tries)


@pytest.mark.parametrize("say", [
    pytest.param(lambda count: "一" * count, id="numerals"),
    pytest.param(lambda count: "一" * count + "号楼", id="numerals and a unit"),
    pytest.param(lambda count: "十一" * count, id="tens"),
    pytest.param(lambda count: "1" + "嗯" * (count // 10), id="one digit and a long hum"),
    pytest.param(lambda count: "1嗯2栋，" * count, id="many rows"),
])
def test_eight_times_as_many_numerals_are_about_eight_times_the_work(say: Callable[[int], str]):
    """5,000 and more of them come from a recogniser that hangs. Quadratic work would be sixty-four times as much."""
    for do in (write_numerals, lambda text: list(find_numbers(text))):
        assert _seconds(do, say(8_000)) < 30 * _seconds(do, say(1_000)) + 0.001


@pytest.mark.parametrize("text", ["一百" * 5_000 + "号楼", "一" * 5_000 + "百" + "一" * 5_000 + "室", "十" * 5_000 + "栋"],
                         ids=["hundreds", "a hundred between", "tens"])
def test_no_row_of_numerals_is_too_long_to_be_written(text: str):
    assert write_numerals(text).endswith(text[-1]) and to_number(text)


def test_numerals_before_a_unit_are_digits():
    assert write_numerals("三号楼二单元十二层幺零二室") == "3号楼2单元12层102室"


@pytest.mark.parametrize(("text", "yes", "no"), [
    ("对对", True, False), ("嗯是的", True, False), ("不对，是6栋", False, True), ("对不对", False, False),
    ("是不是今天来", False, False), ("没错", True, False), ("我家漏水", False, False),
])
def test_yes_and_no(text: str, yes: bool, no: bool):
    assert corrects(text) is no
    assert not yes or says_yes(text)


def test_what_the_agent_says_is_not_the_callers_claim():
    (found,) = said("a 您住春晖苑5栋是吧，王女士", "c 我想反映路灯坏了")
    assert found.value("place") is None and found.value("person") is None


def test_what_the_caller_confirms_counts_from_his_turn():
    (found,) = said("c 停电了", "a 您住春晖苑8栋2单元301对吗", "c 对的")
    place = next(item for item in found.elements if item.name == "place")
    assert (place.value, place.turn, place.answers) == ("春晖苑8栋2单元301", 2, 1)


def test_the_number_shown_is_the_call_back_number_until_he_says_another():
    (found,) = said("c 路灯坏了", caller="13800551101")
    assert found.value("phone") == "13800551101"
    (found,) = said("c 路灯坏了，打我爱人电话13800551102", caller="13800551101")
    assert found.value("phone") == "13800551102"


@pytest.mark.parametrize(("lines", "place"), [
    pytest.param(["c 住院部五楼12床的空调坏了"], "住院部5楼12床", id="a bed"),
    pytest.param(["c 我在门诊三楼做B超等了两个小时"], "门诊3楼", id="a floor of the clinic"),
    pytest.param(["c 北京路与中山路交叉口的井盖没了"], "北京路与中山路交叉口", id="a crossing"),
    pytest.param(["c 我在办事大厅8号窗口排队没人办"], "办事大厅8号窗口", id="a window in a hall"),
    pytest.param(["c 7号楼后面的路灯不亮"], "7号楼后面", id="behind a house"),
    pytest.param(["c 我们在城北的兴盛工地干活，工资没发"], "城北兴盛工地", id="a building site"),
    pytest.param(["c 社保窗口态度不好", "a 几号窗口", "c 五号"], "5号窗口", id="the number of a window"),
    pytest.param(["a 哪个小区", "c 锦绣花园", "a 几栋", "c 七栋", "a 几单元", "c 二单元", "a 房号", "c 五零三，暖气不热"],
                 "锦绣花园7栋2单元503", id="part by part"),
    pytest.param(["c 春晖苑五栋错了六栋二单元下水道堵了"], "春晖苑6栋2单元", id="corrected without a pause"),
    pytest.param(["a 您住春晖苑3栋对吗", "c 不是3栋是4栋，灯坏了"], "春晖苑4栋", id="a part of what was read back"),
    pytest.param(["c 我家8栋，不对8栋是我妈家，我家是9栋，9栋1单元门口积水"], "9栋1单元门口", id="twice corrected"),
    pytest.param(["a 您是5栋的业主吧", "c 不是，我路过的，南门口井盖破了"], "南门口", id="not the agent's"),
    pytest.param(["c 水管爆了", "a 您那边是春晖苑吗", "c 嗯", "a 几栋", "c 七栋", "a 几单元呢", "c 二"], "春晖苑7栋2单元",
                 id="a number without its unit"),
    pytest.param(["c 春晖苑停水了", "a 哪一栋", "c 十二"], "春晖苑12栋", id="a bare number"),
    pytest.param(["c 下水道堵了，春晖苑的", "a 几栋几单元", "c 五栋一"], "春晖苑5栋1单元", id="two numbers, one unit"),
    pytest.param(["c 翠湖花园，路灯坏了", "a 是翠湖花园9栋吗", "c 六栋，不是九栋"], "翠湖花园6栋", id="the right one said first"),
    pytest.param(["c 在翠湖花园那边路灯不亮", "a 翠湖花园吗，几栋", "c 对，六栋"], "翠湖花园6栋", id="in pieces, confirmed"),
    pytest.param(["c 我在3栋住，5栋的人天天往下扔烟头"], "5栋", id="where he lives said behind it"),
    pytest.param(["c 翠湖花园，楼道灯坏了", "a 几栋", "c 六懂"], "翠湖花园6栋楼道", id="栋 misheard, in a staircase"),
    pytest.param(["c 电梯坏了，六栋二但愿"], "6栋2单元", id="单元 misheard"),
    pytest.param(["c 3栋楼下有人遛狗"], "3栋楼下", id="below a house"),
])
def test_a_place_is_put_together(lines: list[str], place: str):
    (found,) = said(*lines)
    assert found.value("place") == place


@pytest.mark.parametrize(("lines", "name"), [
    pytest.param(["c 灯坏了", "a 贵姓", "c 姓陈，耳东陈"], "陈", id="spelt"),
    pytest.param(["c 灯坏了", "a 您怎么称呼", "c 我姓欧阳"], "欧阳", id="of two characters"),
    pytest.param(["c 灯坏了", "a 是刘先生吧", "c 不是，我姓牛"], "牛", id="refused"),
    pytest.param(["c 我是3栋的业主赵建国，灯坏了"], "赵建国", id="behind what he is"),
    pytest.param(["c 灯坏了，物业的张经理不管"], None, id="of somebody else"),
    pytest.param(["c 灯坏了", "a 贵姓", "c 不方便说"], None, id="kept to himself"),
])
def test_a_name_is_the_callers_own(lines: list[str], name: str | None):
    (found,) = said(*lines)
    assert found.value("person") == name


@pytest.mark.parametrize(("lines", "relation"), [
    pytest.param(["c 我替我妈问一下，她家灯坏了"], "我妈", id="asked for"),
    pytest.param(["c 我奶奶腿脚不便让我打的，电梯停了"], "我奶奶", id="made to call"),
    pytest.param(["c 我邻居天天吵，没人管"], None, id="complains about him"),
    pytest.param(["c 你们帮我报修，灯坏了"], None, id="for himself"),
    pytest.param(["a 您是替您妈妈问吗", "c 灯坏了"], None, id="not the agent's"),
    pytest.param(["c 物业代表公司说没钱修"], None, id="he represents"),
    pytest.param(["c 保安帮邻居说话，太偏心了"], None, id="another helps"),
    pytest.param(["c 你们能不能帮老人查一下"], None, id="the office is to help"),
    pytest.param(["c 我邻居让我别投诉了，我还是要说"], None, id="he was told not to"),
    pytest.param(["c 我公司让我搬走，宿舍没有水"], None, id="he was told to go"),
    pytest.param(["c 现代公司，噪音大"], None, id="in a name"),
])
def test_for_whom_he_speaks_is_the_callers_word(lines: list[str], relation: str | None):
    (found,) = said(*lines)
    assert (found.on_behalf_of and f"我{found.on_behalf_of.value}") == relation


@pytest.mark.parametrize(("lines", "phone"), [
    pytest.param(["a 电话", "c 幺三八", "a 嗯", "c 零零五五", "a 好", "c 一一二三"], "13800551123", id="in three turns"),
    pytest.param(["a 电话", "c 一三八零零五五一一二", "a 少了一位", "c 一三八零零五五一一二五"], "13800551125", id="said again"),
    pytest.param(["a 电话", "c 一三八零零五五一一二六", "a 一三八零零五五一一二八", "c 不对，尾号二六"], "13800551126", id="its end corrected"),
    pytest.param(["a 您电话是13800551129吗", "c 是的"], "13800551129", id="read back"),
    pytest.param(["a 您电话是13800551129吗", "c 不是"], None, id="read back and refused"),
    pytest.param(["c 骚扰电话13800559998一直打来"], None, id="of somebody else"),
])
def test_a_number_is_the_callers_own(lines: list[str], phone: str | None):
    (found,) = said("c 路灯坏了", *lines)
    assert found.value("phone") == phone


@pytest.mark.parametrize(("line", "happened"), [
    ("昨晚十点漏水", "2026-11-25T22:00"), ("上周三开始漏水，不对，是上周四", "2026-11-19T00:00"),
    ("周三晚上漏水", "2026-11-25T18:00"), ("周六上班吗", "None"), ("漏水，明天能来修吗", "None"), ("3号电梯坏了", "None"),
])
def test_a_time_is_seen_from_the_beginning_of_the_call(line: str, happened: str):
    (found,) = said(f"c {line}")
    assert str(found.happened_at and found.happened_at.isoformat()).startswith(happened)


def test_a_room_that_is_part_of_the_number_stays_a_room():
    (found,) = said("a 房号", "c 五零一，漏水", "a 电话", "c 一三八零零五五零一二三")
    assert "五零一" in found.description and "13800550123" in found.description


@pytest.mark.parametrize(("lines", "place"), [
    (["a 您住哪一栋几楼", "c 三栋二单元五零二"], "3栋2单元502"), (["a 哪一栋", "c 三栋", "a 几零几", "c 五零二"], "3栋502"),
    (["a 哪一栋", "c 三栋", "a 几楼", "c 十二"], "3栋12楼"),
])
def test_a_number_said_to_which_floor_is_a_room_where_no_house_is_so_high(lines: list[str], place: str):
    (found,) = said("c 我家厨房漏水了", *lines)
    assert {each.name: each.value for each in found.elements}["place"] == place


@pytest.mark.parametrize("lines", [["a 您贵姓", "c 我姓刘，刘建军"], ["a 联系人怎么写", "c 刘建军"]])
def test_the_whole_name_is_taken_where_it_is_said(lines: list[str]):
    (found,) = said("c 我家厨房漏水了", *lines)
    assert {each.name: each.value for each in found.elements}["person"] == "刘建军"


def test_a_greeting_is_no_answer():
    (found,) = said("a 您好，很高兴为您服务，请问有什么可以帮您", "c 路灯坏了", "a 请问您贵姓", "c 姓梁", "a 祝您生活愉快，再见")
    assert found.answered is None


def test_a_call_without_a_word_has_all_missing():
    (found,) = draft([])
    assert found.elements == () and len(found.missing) == 5


LEAST = {"person": 0.9, "phone": 0.95, "place": 0.75, "time": 0.85, "matter": 0.9, "drafts": 0.95, "emergency": 1.0}


@pytest.mark.parametrize("element", LEAST)
def test_labelled_calls_are_understood(element: str):
    score = Score()
    for call in load("seen"):
        body = body_of(call)
        drafts = draft([Turn(**turn) for turn in body["turns"]], body["caller"])
        judge(call, [_shown(item) for item in drafts], score)
    assert score.precision(element) >= LEAST[element], score.wrong
    assert score.recall(element) >= LEAST[element], score.wrong


def test_the_sets_are_as_many_calls_as_they_should_be():
    ids = [call["id"] for name in SETS for call in load(name)]
    assert len(ids) == len(set(ids)) >= 40
    presets = {call["preset"] for name in SETS for call in load(name)}
    assert presets == {"property", "hall", "hospital"}


def _shown(item: Draft) -> dict[str, Any]:
    return {
        "kind": item.kind, "elements": [{"name": each.name, "value": each.value} for each in item.elements],
        "happened_at": item.happened_at.isoformat() if item.happened_at else None,
        "answered_on_call": {"turn": item.answered.turn} if item.answered else None,
        "urgency": "emergency" if item.emergency else "routine",
    }


@pytest.mark.skipif(not CALLS.is_dir(), reason="the shared data is not here")
@pytest.mark.parametrize("format_", FORMATS)
def test_one_call_in_eight_formats_gives_one_draft(format_: str):
    (path,) = [path for path in CALLS.iterdir() if format_ in path.name.split(".", 1)[1]]
    (found,) = draft(read_transcript(format_, _content(path)), "13800551101")
    place = found.value("place") or ""
    assert found.value("person") == "王" and found.value("phone") == "13800551101" and "幸福家园小区" in place
    assert "南门" in place and "路灯坏了" in (found.value("matter") or "")
    assert str(found.happened_at).startswith("2026-11-24") and found.missing == ()
    assert found.answered is not None and "转派" in found.answered.text


def _content(path: Path) -> Any:
    text = path.read_text("utf-8")
    return json.loads(text) if path.suffix == ".json" else text
