"""What a resident, or the assistant on his behalf, may read of his own ticket, and addresses that were made up."""

import pytest
from sqlalchemy import select

from core.conversation import Conversation
from ticketing.model import Ticket

HUGE = 10**30


async def _with_matter(house):
    """A worked ticket of the resident of a conversation: (number, matter)."""
    talk, matter = await house.open_conversation()
    number = (await house.register())["number"]
    async with house.db.writing() as session:
        ticket = (await session.scalars(select(Ticket).where(Ticket.number == number))).one()
        ticket.resident_id = (await session.get_one(Conversation, talk)).resident_id
    await house.do(number, "note", text="此人已投诉过三次，注意措辞")
    await house.do(number, "accept")
    await house.do(number, "assign", department="service")
    await house.do(number, "contact", "officer", reached=False, note="家属说他不在")
    await house.post(f"/tickets/{number}/tasks", {"department": "engineering", "kind": "consult", "text": "账是否有误"},
                     status=201)
    await house.do(number, "progress", "officer", text="正在核对账单")
    return number, matter


async def test_a_resident_reads_no_word_that_was_not_meant_for_him(house):
    number, matter = await _with_matter(house)
    seen = await house.get(f"/tickets/{number}", "assistant", X_Huiyin_Matter=str(matter))
    verbs = {step["verb"]: step for step in seen["transitions"]}
    assert not {"note", "contact"} & set(verbs)
    assert verbs["progress"]["reason"] == "正在核对账单" and verbs["assign"]["reason"] is None
    assert {step["actor"] for step in seen["transitions"]} == {"office"}
    assert seen["assignee"] is None and seen["registered_by"] == "office"
    assert seen["tasks"] == [] and "注意措辞" not in str(seen) and "账是否有误" not in str(seen)


async def test_a_resident_reads_the_reply_and_not_who_wrote_it_or_why_an_attempt_failed(house):
    number, matter = await _with_matter(house)
    await house.do(number, "submit", "officer", findings="upheld", action_taken="核对账单", reply="已退款。")
    await house.do(number, "approve", "supervisor")

    async def tried() -> list[dict]:
        (reply,) = (await house.get(f"/tickets/{number}"))["replies"]
        return [item for item in reply["deliveries"] if item["error"]]

    assert await house.until(tried)
    (reply,) = (await house.get(f"/tickets/{number}", "assistant", X_Huiyin_Matter=str(matter)))["replies"]
    assert reply["text"] == "已退款。" and (reply["submitted_by"], reply["approved_by"]) == ("office", "office")
    assert reply["action_taken"] is None and {item["error"] for item in reply["deliveries"]} == {None}


async def test_staff_read_every_step_with_its_words(house):
    number, _ = await _with_matter(house)
    seen = await house.get(f"/tickets/{number}", "clerk")
    assert {"note", "contact", "assign"} <= {step["verb"] for step in seen["transitions"]}
    assert "注意措辞" in str(seen["transitions"]) and seen["tasks"][0]["text"] == "账是否有误"


@pytest.mark.parametrize("token", ["x", "1-", f"{HUGE}-abc", "１-abc", "1-ключ", "-1-abc", "9" * 5000])
async def test_a_made_up_address_of_a_reply_is_simply_unknown(house, token):
    assert (await house.client.get(f"/r/{token}")).status == 404


async def test_numbers_beyond_all_measure_are_refused_as_wrong_fields(house):
    number = (await house.register())["number"]
    await house.do(number, "answer_directly", status=422, call_turn=HUGE)
    await house.do(number, "fulfil", "officer", 422, measure=HUGE, note="已修好")
    assert (await house.get(f"/tickets/{number}"))["version"] == 1


async def test_an_extension_beyond_the_rule_is_a_wrong_field_whatever_the_state(house):
    number = (await house.register())["number"]
    await house.do(number, "extend", "supervisor", 422, reason="等配件", due_at="2031-01-01T00:00:00+08:00")
    assert (await house.get(f"/tickets/{number}"))["version"] == 1
