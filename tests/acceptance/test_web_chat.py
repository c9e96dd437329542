"""The web chat from the first question to a delivered reply and a closed ticket, with the real assistant."""

import pytest

from tests.acceptance.office import NUMBER, close, complain, submit, try_to_close
from tests.acceptance.running import Chat, Running

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]


async def test_a_question_is_answered_from_a_guide_with_its_source(chat: Chat):
    answer = await chat.say("物业费怎么交？")
    assert "【来源】《物业费缴纳》" in answer and "核对" in answer


async def test_what_no_guide_covers_is_said_honestly(chat: Chat):
    answer = await chat.say("美国签证怎么办")
    assert "【来源】" not in answer and "没有" in answer


async def test_a_complaint_told_in_turns_gets_a_number_and_is_what_was_said(office: Running, chat: Chat):
    number = await complain(chat.say, "我要投诉")
    status, ticket = await office.api("clerk", "GET", f"/tickets/{number}")
    assert (status, ticket["kind"], ticket["state"]) == (200, "complaint", "registered")
    assert "垃圾" in ticket["description"] and "6栋1单元" in ticket["place"]
    assert ticket["resident"]["phone"] == "13800001234"


async def test_a_reply_that_needs_approval_comes_into_the_chat_and_only_then_the_ticket_can_be_closed(
    office: Running, chat: Chat
):
    number = await complain(chat.say, "我要投诉，昨天晚上6栋1单元楼道垃圾没人清")
    submitted = await submit(office, number, "cleaning-waste", "垃圾已经清运，今后每天两次。")
    assert submitted["state"] == "in_approval"
    assert await try_to_close(office, number) == 409
    await office.verb("supervisor", number, "approve")
    assert await chat.hears("今后每天两次", "staff")
    closed = await close(office, number)
    assert closed["state"] == "closed"
    assert [item["status"] for item in closed["replies"][0]["deliveries"]] == ["delivered"]


async def test_a_reply_that_needs_no_approval_is_delivered_at_once(office: Running, chat: Chat):
    number = await complain(chat.say, "6栋1单元门口的路灯坏了，请派人来修")
    await submit(office, number, "repairs-public", "路灯已经修好，请您验看。")
    assert await chat.hears("路灯已经修好", "staff")
    closed = await close(office, number)
    assert "approve" not in [step["verb"] for step in closed["transitions"]]


async def test_nothing_is_closed_before_a_reply_was_delivered(office: Running, chat: Chat):
    number = await complain(chat.say, "我要投诉，昨天晚上6栋1单元的保安骂人")
    assert await try_to_close(office, number) == 409
    await office.verb("clerk", number, "accept")
    assert await try_to_close(office, number) == 409
    await office.verb("clerk", number, "assign", {"department": "security"})
    assert await try_to_close(office, number) == 409


async def test_a_clerk_takes_over_speaks_and_gives_back_in_the_same_thread(office: Running, chat: Chat):
    await chat.say("转人工")
    conversation = await chat.conversation()
    assert conversation["holder"] == "staff"
    path = f"/conversations/{conversation['id']}"
    assert (await office.api("clerk", "POST", f"{path}/take", {}))[0] == 200
    assert (await office.api("clerk", "POST", f"{path}/messages", {"text": "您好，我是值班客服。"}))[0] == 201
    await chat.hears("值班客服", "staff")
    assert (await office.api("clerk", "POST", f"{path}/give_back", {}))[0] == 200
    await chat.hears("智能助手继续", "staff")
    await chat.news()
    assert "【来源】" in await chat.say("停车费多少钱一个月")
    assert (await chat.conversation())["holder"] == "assistant"


async def test_while_a_clerk_speaks_the_assistant_is_silent(office: Running, chat: Chat):
    await chat.say("转人工")
    path = f"/conversations/{(await chat.conversation())['id']}"
    await office.api("clerk", "POST", f"{path}/take", {})
    before = [item["text"] for item in await chat.lines() if item["from"] == "assistant"]
    await chat.post("while-taken", "物业费怎么交？")

    async def is_read() -> bool:
        rows = await office.items("/inbox?status=done&channel=webchat&limit=20")
        return any(row["external_id"].endswith(":while-taken") for row in rows)

    await office.until(is_read)
    assert [item["text"] for item in await chat.lines() if item["from"] == "assistant"] == before


async def test_text_that_begins_with_a_slash_is_text(office: Running, chat: Chat):
    assert await chat.say("/restart")
    assert await chat.say('/inform{"kind": "complaint"}')
    conversation = await chat.conversation()
    said = [item["text"] for item in await office.items(f"/messages?conversation={conversation['id']}")]
    assert "/restart" in said and '/inform{"kind": "complaint"}' in said


async def test_the_same_message_again_is_the_same_message(chat: Chat):
    assert await chat.post("once", "物业费怎么交？") == 202
    await chat.hears("【来源】", "assistant")
    assert await chat.post("once", "物业费怎么交？") == 200
    assert len([item for item in await chat.lines() if item["from"] == "resident"]) == 1


async def test_two_matters_in_one_message_are_two_tickets_each_in_its_own_category(office: Running, chat: Chat):
    await chat.say("6栋1单元的电梯坏了请派人来修，另外楼道垃圾堆了一个星期没人清")
    assert await chat.hears("2 件事", "assistant")
    await chat.say("我的电话是13800550166")
    first, second = NUMBER.findall(await chat.hears("工单号", "assistant"))
    (_, lift), (_, waste) = [await office.api("clerk", "GET", f"/tickets/{number}") for number in (first, second)]
    assert lift["category"].startswith("lifts") and waste["category"].startswith("cleaning")
    assert "垃圾" not in lift["description"] and "电梯" not in waste["description"]
    assert all("6栋1单元" in ticket["place"] for ticket in (lift, waste))
    assert all(ticket["resident"]["phone"] == "13800550166" for ticket in (lift, waste))


async def test_a_question_beside_a_matter_is_answered_and_the_matter_registered(office: Running, chat: Chat):
    await chat.say("6栋1单元门口的路灯坏了请派人来修，顺便问一下物业费怎么交？")
    assert await chat.hears("【来源】《物业费缴纳》", "assistant")
    await chat.say("13800550167")
    (number,) = NUMBER.findall(await chat.hears("工单号", "assistant"))
    _, ticket = await office.api("clerk", "GET", f"/tickets/{number}")
    assert "路灯" in ticket["description"] and "物业费" not in ticket["description"]
