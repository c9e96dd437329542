"""The values that are taken from what is said: who, where, when; what was put right; who is not to be named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bot"))

from actions import reading
from actions.moments import read_back, when_anew
from actions.person import confidence_in, leaves_no_number, stays_unnamed
from actions.places import corrected_place

from benchmarks.entities_found import make_finder, read_blocks

FINDER = make_finder(read_blocks())
NOW = "2026-11-27T10:00:00+08:00"
BLANK = dict.fromkeys(("what", "place", "happened", "happened_at", "phone", "extra", "begin"))


def tell(*said: str, requested: str | None = None, kind: str = "complaint") -> dict[str, Any]:
    """The draft after these messages, the last of them an answer to what was asked."""
    slots: dict[str, Any] = dict(BLANK) | {"kind": kind}
    for number, text in enumerate(said, 1):
        message = {"text": text, "entities": FINDER.find(text, NOW), "intent": None}
        slots |= reading.read(slots, message, requested if number == len(said) else None, NOW)
    return slots


@pytest.mark.parametrize(("said", "place"), [
    ("我是七栋二单元一零零二的老张，水管漏了", "七栋二单元一零零二"), ("一号楼一零一二的住户，门禁坏了", "一号楼一零一二"),
    ("六栋二单元二一零二厨房堵了", "六栋二单元二一零二"), ("三栋五零零多户人家停水", "三栋"), ("5栋一百零三户没电", "5栋"),
    ("浙A8K776占了我的车位，B2-118是我家的", "B2-118"), ("一楼商铺A-105门口堆垃圾", "A-105"), ("京A-1234占我车位", None),
    ("皮肤科的王医生头都没抬", "皮肤科"), ("昨晚急诊等了四个小时", "急诊"), ("门诊楼皮肤科的空调坏了", "门诊楼皮肤科"),
    ("你们大厅A区5号窗口那个男的让我送东西", "大厅A区5号窗口"), ("急诊让我去骨科，骨科的医生态度差", "骨科"),
    ("教育局说不归他们管", None), ("客服中心不接电话", None),
])
def test_a_place_is_whole_and_a_department_is_one(said: str, place: str | None) -> None:
    assert tell(said)["place"] == place


@pytest.mark.parametrize(("said", "place"), [
    ("昨晚十点半打车 从机场T2到翡翠湾 司机故意绕高架", "机场T2到翡翠湾"), ("从火车站打车到翠湖花园，司机绕路", "火车站到翠湖花园"),
    ("早上从翠湖花园到市一医院的3路公交半天不来", "翠湖花园到市一医院"), ("师傅从早上八点到翠湖花园门口就没动过，出租车都堵着", "翠湖花园门口"),
    ("从昨天到翠湖花园一路修路", "翠湖花园"),
])
def test_of_a_ride_the_way_is_the_place(said: str, place: str) -> None:
    assert tell(said)["place"] == place


def test_what_is_nearer_in_the_same_house_takes_the_place_of_it() -> None:
    assert tell("我妈从心内科出院，名字写错了", "住院号是Z202611203，住在心内科12床。")["place"] == "心内科12床"


@pytest.mark.parametrize(("said", "name"), [
    ("我是8栋2单元1101的业主周敏。门禁坏了", "周敏"), ("打我的，13067712345，我是她女儿王洁", "王洁"), ("13777001100 姓范", "姓范"),
    ("问到了打我电话13588001122，姓冯", "姓冯"), ("23号收了我两遍钱。我张涛", "张涛"), ("我李建国，电话13812345678", "李建国"),
    ("希望表扬她！\n9栋1单元1204 沈佳 13612340987", "沈佳"), ("李先生 13777001100", "李先生"), ("水管漏了。王芳 13800138000 3栋201", "王芳"),
    ("那个医生姓王，13777001100是我电话", None), ("保安姓李，态度很差", None), ("投诉张经理，电话13777001100", None),
    ("他是业主王建军", None), ("是隔壁的老王我看见的", None), ("我钱包丢了，在大厅", None),
])
def test_his_own_name_is_taken_in_any_form_and_nobody_elses(said: str, name: str | None) -> None:
    assert tell(said)["extra"].get("name") == name


def test_the_name_of_whom_he_speaks_for_is_hers() -> None:
    extra = tell("我替我妈反映个事，我妈李秀英82了住在康乐养老院", "打我的，13067712345，我是她女儿王洁", requested="phone")["extra"]
    assert (extra["name"], extra["on_behalf_of"]) == ("王洁", {"relation": "妈", "name": "李秀英"})


@pytest.mark.parametrize(("said", "kind", "who"), [
    ("我妈妈11月20日从你们心内科出院，小结上名字写错了", "complaint", "妈妈"), ("我爸在心内科住院，护士态度差", "complaint", "爸"),
    ("我爸在心内科住院，护士特别好，想表扬", "praise", None), ("我替我爸表扬护士", "praise", "爸"),
    ("我妈上个月住的院，我想替她约个时间复印病历", "request", "妈"), ("我妈住在3栋，我帮她办过", "request", None),
    ("我是患者的女儿王洁", "complaint", "患者"),
])
def test_for_whom_he_speaks_depends_on_what_he_wants(said: str, kind: str, who: str | None) -> None:
    assert (tell(said, kind=kind)["extra"].get("on_behalf_of") or {}).get("relation") == who


def test_a_correction_speaks_for_nobody_and_keeps_the_rest_of_the_address() -> None:
    slots = tell("12栋3单元4楼的灯不亮", "哎不对，说错了，是11栋，12栋是俺妹家", requested="phone")
    assert slots["place"] == "11栋3单元4楼"
    assert "on_behalf_of" not in slots["extra"]


@pytest.mark.parametrize(("said", "happened", "at"), [
    ("我周三晚上摔进去了，啊不是周三，是昨天周四晚上", "昨天周四晚上", "2026-11-26T18:00:00+08:00"),
    ("昨天下午，不对，是前天下午，有人吵架", "前天下午", "2026-11-25T12:00:00+08:00"),
    ("周三晚上8点摔了一跤", "周三晚上8点", "2026-11-25T20:00:00+08:00"), ("每周三晚上都吵", "每周三晚上", None),
    ("昨晚十一点一直搞到今天凌晨两点", "昨晚十一点至今天凌晨两点", "2026-11-26T23:00:00+08:00"),
    ("昨晚八点抱着孩子去，等到十二点才叫到", "昨晚八点至十二点", "2026-11-26T20:00:00+08:00"),
    ("昨天报修了，说等到明天来修", "昨天", "2026-11-26T00:00:00+08:00"),
])
def test_a_time_is_the_right_one_with_its_end(said: str, happened: str, at: str | None) -> None:
    slots = tell(said)
    assert (slots["happened"], slots["happened_at"]) == (happened, at)


@pytest.mark.parametrize(("happened", "told"), [
    ("昨天晚上九点多", "昨天晚上九点多（11月26日）"), ("23号", "23号（11月26日）"), ("周四", "周四（11月26日）"), ("前天晚上", "前天晚上（11月26日）"),
    ("11月26日下午", "11月26日下午"), ("这几天", "这几天"), ("去年", "去年"), ("早上七点", "早上七点"),
])
def test_a_day_is_read_back_by_its_date_where_the_words_do_not_name_it(happened: str, told: str) -> None:
    assert read_back(happened, "2026-11-26T18:00:00+08:00") == told


@pytest.mark.parametrize(("old", "said", "place"), [
    ("和睦路76号", "门牌我说反了，是67号不是76号", "和睦路67号"), ("和睦路76号", "不是76号，是67号", "和睦路67号"),
    ("和睦路76号", "把67号说成76号了", "和睦路67号"), ("和睦路76号", "76号应该是67号", "和睦路67号"), ("和睦路76号", "是67不是76", "和睦路67号"),
    ("3栋2单元501", "房号错了，是502", "3栋2单元502"), ("3栋2单元501", "501改成1501", "3栋2单元1501"),
    ("3栋2单元501", "单元说错了，3单元", "3栋3单元501"), ("A区5号窗口", "不是5号窗口是6号窗口", "A区6号窗口"),
    ("12幢1单元9楼走廊", "我刚又去看了 不是9楼 是10楼", "12幢1单元10楼走廊"), ("3栋2单元501", "我又看了一眼 不是501 是502", "3栋2单元502"),
    ("12幢1单元9楼走廊", "不是9楼 是9楼和10楼中间那个平台", "12幢1单元9楼和10楼中间那个平台走廊"), ("和睦路76号", "我刚去看了下，不是76号", None),
    ("3栋2单元501", "又不是我弄坏的", None), ("3栋2单元501", "又漏了，跟昨天一样", None),
])
def test_a_registered_place_is_put_right_by_the_words_that_name_what_was_wrong(old: str, said: str, place: str | None) -> None:
    assert corrected_place(old, said, FINDER.find(said, NOW)) == place


@pytest.mark.parametrize(("said", "at"), [
    ("出生年份也错了，写的1990年，应该是1991年", None), ("证上登的2020年，应该是2021年", None), ("时间写错了，是前天晚上", "2026-11-25T18:00:00+08:00"), ("我昨天说错了，是6栋", None), ("又漏了，跟昨天一样", None),
])
def test_a_registered_time_is_put_right(said: str, at: str | None) -> None:
    assert when_anew(said, FINDER.find(said, NOW), NOW).get("happened_at") == at


@pytest.mark.parametrize(("said", "wish"), [
    ("你们别把我名字说出去哦", True), ("这个不会让他知道是我说的吧", True), ("先别让科里晓得是我们", True), ("我的身份别公开", True),
    ("我投诉的话物业会不会知道是我", True), ("不想让邻居知道是我反映的", True), ("怕以后给我穿小鞋", True), ("你们别说是我报的", True),
    ("他会跟我的孩子吵架", None), ("别跟我说没办法", None), ("别说我投诉了三次，一次都没人来", None), ("物业不公开账目", None),
    ("说是我家漏的水", None), ("不会让我知道是几号窗口", None), ("可别说是俺说的啊一个村嘞得罪不起", True), ("莫讲是我讲的", True),
    ("甭跟恁书记说是俺报的", True), ("唔好话畀佢知系我讲嘅", True), ("别把俺供出去", True), ("可别叫人知道是俺说嘞", True),
    ("省得给我穿小鞋", True), ("别说我没提醒你们", None), ("他们别把我车刮了", None), ("甭管谁家的，莫名其妙停水", None), ("不要把我说成骗子", None),
])
def test_who_fears_to_be_known_says_it_in_many_words(said: str, wish: bool | None) -> None:
    assert confidence_in(said) is wish


@pytest.mark.parametrize(("said", "unnamed"), [
    ("不想留名字", True), ("名字电话不留 省得给我穿小鞋", True), ("姓名、电话都不留了", True), ("电话名字都不方便说", True),
    ("名字电话不是都留过了吗", False), ("名字就不留了", True), ("别写我名字", True), ("表上不写名字行不行", False), ("不匿名了", False),
])
def test_who_gives_no_name_is_told_that_he_is_nameless(said: str, unnamed: bool) -> None:
    assert stays_unnamed(said) is unnamed


@pytest.mark.parametrize(("said", "left"), [
    ("我就跟你们说一声不用给我回电话了", True), ("不用回复我", True), ("无需联系", True), ("电梯不用来电就停了", False), ("不用联系物业", False),
])
def test_who_wants_no_call_is_not_asked_where(said: str, left: bool) -> None:
    assert leaves_no_number(said) is left


@pytest.mark.parametrize(("said", "of_before"), [
    ("那帮我问问吧，问到了打我电话13588001122，姓冯", True), ("好，那你们帮我打听打听，有结果告诉我", True),
    ("那帮我问问楼上为什么天天吵", False), ("行，那帮我问问物业费能不能减免", False),
])
def test_who_has_it_asked_means_the_question_before(said: str, of_before: bool) -> None:
    assert reading.speaks_of_before(said, FINDER.find(said, NOW)) is of_before
