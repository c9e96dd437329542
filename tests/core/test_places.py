"""One place is one place, however people write it; two that cannot be one are told apart."""

import pytest

from core.places import Agreement, compare, read, without_numbers


@pytest.mark.parametrize(
    ("text", "building"),
    [
        pytest.param("3栋", {"3"}, id="栋"), pytest.param("三号楼", {"3"}, id="a Chinese numeral"),
        pytest.param("3号楼 东门", {"3"}, id="with a gate"), pytest.param("3#楼漏水", {"3"}, id="a hash"),
        pytest.param("３＃", {"3"}, id="full width"), pytest.param("03幢", {"3"}, id="a leading zero"),
        pytest.param("第三栋", {"3"}, id="the third"), pytest.param("十二座", {"12"}, id="twelve"),
        pytest.param("二十一号楼", {"21"}, id="twenty-one"), pytest.param("一百零三栋", {"103"}, id="a hundred and three"),
        pytest.param("二〇一栋", {"201"}, id="digit by digit"), pytest.param("B座", {"b"}, id="a letter"),
        pytest.param("楼号：5", {"5"}, id="named before"), pytest.param("3-2-301", {"3"}, id="the short form"),
        pytest.param("三栋和五栋", {"3", "5"}, id="two of them"), pytest.param("三号樓", {"3"}, id="traditional"),
        pytest.param("3楼的邻居", set(), id="a floor is no building"), pytest.param("6路公交", set(), id="a bus"),
        pytest.param("等了3号窗口", set(), id="a counter"), pytest.param("13800550123", set(), id="a telephone"),
        pytest.param("2019-12-301", set(), id="a date"), pytest.param("", set(), id="nothing"),
    ],
)
def test_a_building_has_one_form_however_it_is_written(text, building):
    assert read(text).building == building


@pytest.mark.parametrize(
    ("text", "part", "value"),
    [
        pytest.param("东大门", "gate", "东", id="the great east gate"), pytest.param("正门口", "gate", "大", id="main gate"),
        pytest.param("西门子冰箱", "gate", None, id="a brand"), pytest.param("门诊部门", "gate", None, id="a department"),
        pytest.param("三门课", "gate", None, id="three courses"), pytest.param("2单元", "unit", "2", id="unit"),
        pytest.param("3栋二单元1802室", "unit", "2", id="unit in Chinese"), pytest.param("3-2-301", "unit", "2", id="short form"),
        pytest.param("3栋1802房", "room", "1802", id="room"), pytest.param("3000房价", "room", None, id="a price"),
        pytest.param("负一楼", "floor", "-1", id="below ground"), pytest.param("B2层", "floor", "-2", id="B2"),
        pytest.param("五层", "floor", "5", id="fifth floor"), pytest.param("二期8栋", "phase", "2", id="phase"),
        pytest.param("这期间", "phase", None, id="meanwhile"), pytest.param("三号窗口", "window", "3", id="counter"),
        pytest.param("地库进水了", "spot", "车库", id="the garage by another word"),
        pytest.param("2号电梯", "spot", "2号电梯", id="one lift"), pytest.param("垃圾桶满了", "spot", "垃圾站", id="bins"),
        pytest.param("我住在云溪小区", "names", "云溪", id="an estate without its ending"),
        pytest.param("人民路23号门口", "names", "人民路23号", id="a house in a road"),
    ],
)
def test_every_part_of_a_place_is_read(text, part, value):
    assert getattr(read(text), part) == ({value} if value else frozenset()) or value in getattr(read(text), part)


@pytest.mark.parametrize(
    ("one", "other", "agreement"),
    [
        pytest.param("3栋停水", "三号楼没水了", "same", id="one building in two forms"),
        pytest.param("3-2-301", "3栋二单元", "same", id="short and long form"),
        pytest.param("3栋", "5栋", "apart", id="two buildings"), pytest.param("东门", "西门", "apart", id="two gates"),
        pytest.param("3栋1单元", "3栋2单元", "apart", id="two units"),
        pytest.param("三栋和五栋", "5号楼", "same", id="one of two buildings"),
        pytest.param("云溪花园", "云溪小区3栋", "same", id="the estate and a building in it"),
        pytest.param("云溪花园3栋", "青山花园3栋", "apart", id="the same number in two estates"),
        pytest.param("云溪花园", "青山小区", "apart", id="two estates"),
        pytest.param("人民路", "云溪花园", "unknown", id="a road and an estate may lie together"),
        pytest.param("地下车库", "地库", "same", id="the garage"), pytest.param("路灯坏了", "灯不亮", "unknown", id="nothing named"),
        pytest.param("3号楼", "东门", "unknown", id="a building and a gate"),
        pytest.param("二期3栋", "一期3栋", "apart", id="two phases"),
    ],
)
def test_two_places_agree_differ_or_say_nothing_of_each_other(one, other, agreement):
    assert compare(read(one), read(other)) == Agreement(agreement) == compare(read(other), read(one))


def test_what_can_be_compared_can_be_found_by_a_key_in_common():
    assert read("3栋").keys() & read("云溪花园三号楼").keys()
    assert not read("3栋").keys() & read("3号窗口").keys()


def test_a_long_or_hostile_text_is_read_all_the_same():
    assert read("一" * 5000 + "栋") and read("3栋" * 5000).building == {"3"}
    assert read(None, "", "\u0000号楼<PHONE_1>") == read()


def test_the_label_says_the_place_in_one_form():
    assert read("云溪小区三栋，东大门").label() == "云溪 3号楼 东门"


def test_what_happened_is_left_when_the_numbers_of_the_place_are_taken_out():
    assert "漏水" in without_numbers("三号楼2单元1802室漏水") and "楼" not in without_numbers("三号楼2单元1802室漏水")
