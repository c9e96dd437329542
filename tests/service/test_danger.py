"""Danger while the assistant is away: the number to call comes first, and an emergency ticket rings a clerk."""

import re

import pytest

from service import danger
from service.bot import BOT
from tests.service.test_chat import Browser

DANGER = BOT / "nlu" / "components" / "danger.yml"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3栋电梯困人了，里面有老人", "96333"), ("家里起火了快来人", "119"), ("厨房一股煤气味", "燃气公司"),
        ("我爸晕倒了叫不醒", "120"), ("有人拿刀砍人", "110"), ("我不想活了", "12356"), ("救命啊", "110"),
        ("我爸摔倒流血了", "120"), ("孩子吞了颗纽扣电池", "120"), ("一氧化碳中毒", "燃气公司"), ("楼下打架了", "110"),
        ("家里进贼了", "110"), ("奶奶摔了一跤起不来了", "120"), ("小孩的手夹在扶手里", "120"), ("屋里一股烧焦味", "119"),
        ("孩子不见了", "110"), ("楼道有人躺着没气了", "120"), ("积水漫到腰了", "119"), ("围墙要倒了", "119"),
    ],
    ids=lambda value: value[:6],
)
def test_the_right_number_is_named(text: str, number: str):
    said = danger.see(text)
    assert said and number in said


@pytest.mark.parametrize("text", [
    "煤气费怎么交", "消防演练几点开始", "电梯坏了", "忙死了", "感谢你们救了我爸", "家里没气了", "孩子身份证丢了", "孩子卡在年龄上报不了名",
    "排队排得喘不过气", "老人卡不见了"], ids=str)
def test_what_is_no_danger_raises_no_alarm(text: str):
    assert danger.see(text) is None


def test_every_form_counts_with_braces():
    """`.(0, 4)` is a group that matches nothing anybody says."""
    assert not re.search(r"\(\d+, ?\d+\)", DANGER.read_text("utf-8"))


async def test_while_the_assistant_is_away_danger_is_told_the_number_and_rings_a_clerk(house):
    house.rasa.is_away = True
    guest = await Browser.open(house)
    await guest.say("停车费多少钱")
    await guest.hears("智能助手暂时不在线")
    await guest.say("3栋电梯困人了！")
    await guest.hears("紧急工单")
    alarm = next(line for line in await guest.lines() if "紧急工单" in line)
    assert "96333" in alarm.splitlines()[0]
    emergency, ordinary = (await house.get("/tickets"))["items"]
    assert (emergency["urgency"], emergency["kind"], ordinary["urgency"]) == ("emergency", "request", "routine")
    await guest.say("2单元，里面两个人")
    await guest.hears(f"补充到工单 {emergency['number']}")
    assert len((await house.get("/tickets"))["items"]) == 2


async def test_in_a_persons_hands_danger_is_answered_though_the_assistant_is_away(house):
    guest = await Browser.open(house)
    await guest.say("你好")
    talk = await guest.conversation()
    await house.post(f"/conversations/{talk['id']}/take")
    house.rasa.is_away = True
    await guest.say("着火了！快来人")
    await guest.hears("119")
    (ticket,) = (await house.get("/tickets"))["items"]
    assert ticket["urgency"] == "emergency"


async def test_a_second_cry_about_one_danger_joins_its_ticket_and_another_danger_does_not(house):
    house.rasa.is_away = True
    guest = await Browser.open(house)
    await guest.say("3栋电梯困人了！")
    await guest.hears("紧急工单")
    await guest.say("3栋电梯里面困了两个人，快来")
    await guest.hears("补充到工单")
    assert "96333" in (await guest.lines())[-1].splitlines()[0]
    assert len((await house.get("/tickets"))["items"]) == 1
    await guest.say("3栋着火了！")
    await guest.hears("119")
    await guest.say("8栋电梯也困人了")
    await house.until(lambda: _count(house, 3))


async def _count(house, many):
    return len((await house.get("/tickets"))["items"]) == many
