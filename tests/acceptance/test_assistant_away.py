"""Rasa dies: the resident gets a sentence, a clerk gets one ticket, and the service brings Rasa back."""

import psutil
import pytest

from tests.acceptance.office import NUMBER
from tests.acceptance.running import Chat, Running

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]


async def test_while_the_assistant_is_away_a_clerk_gets_one_ticket_and_afterwards_it_answers_again(
    office: Running, chat: Chat
):
    await chat.say("您好")
    rasa = office.child("rasa")
    assert rasa is not None
    try:
        rasa.kill()
        await office.wait_assistant("degraded")
        first, second = await chat.say("小区大门坏了"), await chat.say("有人受伤了快来")
        found = NUMBER.search(first)
        assert found and "智能助手暂时不在线" in first
        assert f"补充到工单 {found[0]}" in second
        conversation = (await chat.conversation())["id"]
        (ticket,) = await office.items(f"/tickets?kind=consultation&conversation={conversation}")
        assert ticket["number"] == found[0]
        assert "有人受伤" in "".join(str(step["reason"]) for step in ticket["transitions"])
    finally:
        await office.wait_assistant()
    assert office.child("rasa") != rasa
    assert "【来源】" in await chat.say("停车费多少钱一个月")


async def test_the_action_server_is_brought_back_as_well(office: Running, chat: Chat):
    actions = office.child("rasa_sdk")
    assert actions is not None
    actions.kill()

    async def is_back() -> psutil.Process | None:
        found = office.child("rasa_sdk")
        return found if found != actions else None

    await office.until(is_back)

    async def answers() -> bool:
        return "【来源】" in await chat.say("停车费多少钱一个月")

    await office.until(answers)
