"""Which emergency ticket a cry belongs to: the same danger joins, another sort or another place does not."""

import pytest
import yaml

from core import clock
from service import alarms, danger
from service.bot import BOT
from tests.service.test_api_assistant import Guest, as_assistant

SAME = [
    ("3栋电梯里困了人", "3栋电梯里面困了两个人，快来"), ("3栋电梯里困了人", "救命啊快点"), ("救命啊", "3栋着火了"),
    ("三栋着火了", "三栋二单元着火了"), ("三栋着火了", "二单元着火了快来"), ("3栋和5栋着火了", "5栋火很大"),
    ("3栋电梯里困了人", "里面的老人晕过去了"), ("电梯困人了\n在3栋", "3栋电梯困人了，还没来"), ("翠湖花园着火了", "翠湖花园3栋着火了"),
    ("急诊有人晕倒了", "急诊大厅有人晕倒快来"), ("家里着火了", "3号楼家里着火了"), ("有人拿刀在东门砍人", "东门砍人了快来"),
    ("煤气泄漏了", "煤气味越来越大了"), ("电梯困人了", "3栋2单元电梯困人了"),
]
OTHER = [
    ("3栋着火了", "3栋和5栋都着火了"), ("翠湖花园着火了", "春晖苑着火了"), ("翠湖花园3栋着火了", "春晖苑3栋着火了"),
    ("东门有人打架", "西门有人打架"), ("A区着火了", "B区着火了"), ("A栋着火", "B栋着火"), ("一期着火了", "二期着火了"),
    ("急诊有人晕倒了", "住院部3楼有人晕倒了"), ("大厅有人晕倒了", "厕所里有人晕倒了"), ("儿科有人晕倒", "骨科有人晕倒"),
    ("3号窗口有人晕倒了", "5号窗口有人晕倒了"), ("3床病人没呼吸了", "5床病人没呼吸了"), ("301室着火了", "502室着火了"),
    ("二楼有人打架", "三楼有人打架"), ("东门有人打架", "3栋有人打架"), ("3栋着火了", "车库着火了"), ("1号电梯困人", "2号电梯困人"),
    ("3栋电梯里困了人", "五号楼电梯也困了人"), ("电梯困人了", "另一部电梯也困人了"), ("幸福路有人打架", "解放路有人打架"),
    ("3栋电梯里困了人", "墙塌了压到人"), ("3栋电梯里困了人", "3栋着火了"), ("有人要跳楼", "有人抢劫"),
]
DRAFT = "大厅里有人晕倒了\n（此前正在反映：3栋着火报警器坏了）"


@pytest.mark.parametrize(("before", "after"), SAME, ids=lambda text: text[:12])
def test_a_second_cry_about_one_danger_is_one(before: str, after: str):
    assert alarms.is_one(alarms.read_cry(before), alarms.read_cry(after))


@pytest.mark.parametrize(("before", "after"), OTHER, ids=lambda text: text[:12])
def test_another_danger_or_another_place_is_another(before: str, after: str):
    assert not alarms.is_one(alarms.read_cry(before), alarms.read_cry(after))


def test_what_was_told_before_the_danger_is_no_part_of_it():
    assert alarms.read_cry(DRAFT) == alarms.read_cry("大厅里有人晕倒了")


def test_a_place_that_is_given_beside_the_words_counts():
    assert not alarms.is_one(alarms.read_cry("着火了", "3栋"), alarms.read_cry("着火了快来", "5栋"))


def test_every_kind_of_danger_but_a_mere_cry_has_a_sort():
    words = yaml.safe_load((BOT / "nlu" / "components" / "danger.yml").read_text("utf-8"))
    assert {row["kind"] for row in words["forms"]} >= {"fire", "gas", "trapped", "hurt", "suicide", "crime", "collapse", "flood"}
    assert danger.sorts("救命啊快点") == frozenset()
    assert danger.sorts("围墙塌了") == {"collapse"}


async def raise_alarm(house, matter: int, text: str, status: int, **more):
    return await as_assistant(house, "/alarms", {"text": text, **more}, matter, status)


async def test_the_assistant_raises_an_alarm_and_the_second_cry_joins_it(house):
    guest = await Guest.open(house)
    await guest.say("你好")
    _, matter = await guest.place()
    first = await raise_alarm(house, matter, "3栋着火了", 201, place="3栋", drafted="物业乱收费")
    again = await raise_alarm(house, matter, "三栋二单元着火了，救命", 200, place="三栋二单元")
    assert (first["joined"], again["joined"], again["number"]) == (False, True, first["number"])
    ticket = await house.get(f"/tickets/{first['number']}")
    assert (ticket["urgency"], ticket["kind"], ticket["place"]) == ("emergency", "request", "3栋")
    assert "物业乱收费" in ticket["description"] and "二单元" in ticket["transitions"][-1]["reason"]


async def test_a_place_said_afterwards_tells_the_next_danger_apart(house):
    guest = await Guest.open(house)
    await guest.say("你好")
    _, matter = await guest.place()
    first = await raise_alarm(house, matter, "电梯困人了", 201)
    await as_assistant(house, f"/tickets/{first['number']}/supplement", {"text": "在3栋"}, matter)
    other = await raise_alarm(house, matter, "5栋电梯困人了", 201)
    back = await raise_alarm(house, matter, "3栋电梯里的人还困着", 200)
    assert other["number"] != first["number"] == back["number"], "the older of two finds its own words again"


async def test_after_half_an_hour_it_is_another_danger(house):
    guest = await Guest.open(house)
    await guest.say("你好")
    _, matter = await guest.place()
    first = await raise_alarm(house, matter, "3栋电梯困人了", 201)
    clock.set_offset(alarms.SAME_DANGER * 1.1)
    later = await raise_alarm(house, matter, "3栋电梯困人了", 201)
    assert later["number"] != first["number"]


async def test_one_alarm_tried_twice_is_one_write(house):
    guest = await Guest.open(house)
    await guest.say("你好")
    _, matter = await guest.place()
    heads = {"X_Huiyin_Matter": str(matter), "Idempotency_Key": "7:action_emergency:1"}
    first = await house.post("/alarms", {"text": "着火了"}, "assistant", 201, **heads)
    again = await house.post("/alarms", {"text": "着火了"}, "assistant", 201, **heads)
    assert first == again and first["joined"] is False


async def test_nobody_but_the_assistant_raises_alarms_here(house):
    await house.post("/alarms", {"text": "着火了"}, "clerk", 403)


async def test_while_the_assistant_is_away_an_alarm_of_its_own_is_joined(house):
    guest = await Guest.open(house)
    await guest.say("你好")
    _, matter = await guest.place()
    first = await raise_alarm(house, matter, "3栋着火了", 201)
    house.rasa.is_away = True
    heard = await guest.say("三栋着火了，快来人")
    assert "119" in heard[-1].splitlines()[0] and first["number"] in heard[-1]
    assert first["number"] not in (await guest.say("5栋也着火了"))[-1]
