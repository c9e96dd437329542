"""A complaint about how somebody behaved never reaches him: whom it is about is read from the resident's words."""

import pytest

from core.errors import Conflict
from ticketing.accused import find_accused
from ticketing.preset import load_preset
from ticketing.staff import Actor
from ticketing.visibility import about_as_given

PROPERTY, HALL = load_preset("property"), load_preset("hall")
ASSISTANT = Actor("assistant", frozenset({"assistant"}), None)
PEOPLE = ("王建国", "ou", "林")


@pytest.mark.parametrize(("text", "about"), [
    ("工程维修部的人态度特别差，打电话就吼人", {"unit": "工程维修部"}),
    ("投诉工程部，来了两次都在那玩手机", {"unit": "工程维修部"}),
    ("秩序部那个保安昨晚骂人", {"unit": "秩序维护部"}),
    ("王建国上门的时候很不耐烦", {"staff": "王建国"}),
    ("你们的李师傅修水管时还问我索要红包", {"staff": "李师傅"}),
    ("那个工号0231的小伙子爱理不理", {"staff": "工号0231"}),
])
def test_a_unit_or_a_person_beside_what_he_did_is_who_the_complaint_is_about(text, about):
    assert find_accused(PROPERTY, PEOPLE, text) == about


def test_a_window_of_the_hall_is_named_with_its_unit():
    assert find_accused(HALL, (), "人社窗口3号窗口的办事员推诿，让我跑了三趟") == {"unit": "人社窗口", "window": "3号窗口"}


@pytest.mark.parametrize("text", [
    "等到十二点才叫到，问护士就翻白眼",
    "电梯坏了，工程维修部修了三次还没好",          # the lift is the matter
    "找了工程部也没人来，楼道灯不亮",
    "我问了工程部，隔壁装修的工人骂人",            # who was asked did not do it
    "不是工程维修部态度不好，是楼上太吵",
    "工程维修部的李师傅态度很好，就是水管又漏了",   # praise
    "3号窗口在哪里办",
    "楼上邻居半夜打游戏吵死了",
    "林子大了什么鸟都有，态度",                     # one character is nobody's name
])
def test_who_is_only_named_is_not_complained_about(text):
    assert find_accused(PROPERTY, PEOPLE, text) is None


async def test_what_a_resident_tells_about_a_unit_goes_past_that_unit(desk):
    words = {"category": "repairs-plumbing", "description": "工程维修部的人上门修水管，态度恶劣还骂人"}
    ticket = await desk.find(await desk.register(ASSISTANT, **words))
    assert about_as_given(ticket.about) == {"unit": "工程维修部"}
    await desk.do(ticket.number, "accept")
    with pytest.raises(Conflict, match="about"):
        await desk.do(ticket.number, "assign", {"department": "engineering"})
    await desk.do(ticket.number, "assign", {"department": "service"})
    assert (await desk.find(ticket.number)).department == "service"


async def test_a_clerk_says_himself_whom_a_complaint_is_about(desk):
    number = await desk.register(description="工程维修部的人态度恶劣")
    assert (await desk.find(number)).about is None


async def test_a_request_is_about_nobody(desk):
    number = await desk.register(ASSISTANT, kind="request", description="请工程维修部来修一下，别再骂人了")
    assert (await desk.find(number)).about is None
