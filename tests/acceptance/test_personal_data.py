"""A resident's digits stand in no log, in no memory of the assistant, and in the database only encrypted."""

import json

import pytest

from tests.acceptance.office import complain, submit
from tests.acceptance.running import Chat, Running

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

PHONE = "13912345678"
PLAIN = (PHONE, "110101199003078515", "6222021234567890123", "wang.xiaoming@example.org")
CHANGED = "13755510293"
"""The number he wants to be called at instead, said after the ticket."""
GROUPED = ("139-8765-4321", "6217 0012 3456 7890 128")
ONLY_DIGITS = ("13987654321", "6217001234567890128")
SPOKEN = "幺三九零零零零七七二幺"
HEARD = (SPOKEN, json.dumps(SPOKEN)[1:-1], "13900007721")
"""A number written as it is spoken, in the ways in which a file may hold it."""


def found_in(service: Running) -> dict[str, list[str]]:
    """By file name: which of the values stand in it, readable."""
    places = [service.log, *service.data_dir.rglob("*")]
    values = (*PLAIN, *GROUPED, *ONLY_DIGITS, CHANGED, *HEARD)
    found = {}
    for place in places:
        if place.is_file():
            content = place.read_bytes()
            found[str(place.relative_to(service.folder))] = [item for item in values if item.encode() in content]
    return found


async def ask_and_correct(chat: Chat, phone: str) -> None:
    """What the assistant says back holds a title with digits in it, and a number that comes after the ticket."""
    await chat.say(f"建议小区大门口贴出的值班电话{phone}换成大一点的字")
    assert phone in await chat.say("我的工单到哪了"), "he reads his own words in full"
    await chat.say(f"补充一下，我的电话改成{CHANGED}")
    await chat.say("转人工")


async def test_after_a_dialogue_the_digits_are_readable_nowhere(office: Running, chat: Chat):
    phone, identity, card, mail = PLAIN
    await chat.say(f"我的电话{phone}，身份证{identity}，卡号{card}，邮箱{mail}，我要办居住证")
    # Each in a chat of its own: two sentences that nobody understands bring a person, who is silent here.
    await (await Chat.open(office)).say(f"另一个电话{GROUPED[0]}，卡号{GROUPED[1]}")
    await (await Chat.open(office)).say(f"我的电话是{SPOKEN}，请回电")
    await (await Chat.open(office)).say(f'/inform{{"phone": "{phone}"}}')
    complaining = await Chat.open(office)
    number = await complain(complaining.say, f"我要投诉，昨天晚上6栋1单元保安骂人，身份证{identity}", phone=phone)
    await submit(office, number, "staff-attitude", f"已批评教育，结果会打电话{phone}告诉您。")
    await office.verb("supervisor", number, "approve")
    await complaining.hears("已批评教育", "staff")
    _, ticket = await office.api("officer", "GET", f"/tickets/{number}")
    assert ticket["resident"]["phone"].replace(" ", "").endswith(phone), "who works the ticket must see it"
    await ask_and_correct(await Chat.open(office), phone)
    found = found_in(office)
    names = set(found)
    assert {"service.log", "var/huiyin.db", "var/huiyin.db-wal"} <= names
    assert any(name.startswith("var/assistant/") for name in names)
    assert {name: values for name, values in found.items() if values} == {}
