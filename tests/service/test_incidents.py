"""Many people report one event: a draft by itself, confirmed by a person; then all are told, linked, and answered once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core import clock
from core.queues import Outbox
from service import incident_watch
from tests.service.test_pages import enter, link_for
from ticketing.incidents import Incident
from ticketing.model import Ticket

LIFT = (
    "三号楼电梯停在五层不动了，老人下不来", "3栋的电梯坏了，不动了", "我家三号楼，电梯从早上就停了不动",
    "3号楼电梯又停了，提着菜爬十八层", "三栋电梯什么时候修好，一直停着不动",
)
TEXT = "3号楼电梯主板故障，配件在路上，预计今天18点修好。"


async def report(house, text=LIFT[0], place="三号楼", who="clerk", **more):
    fields = {"kind": "complaint", "category": "lifts-fault" if "电梯" in text else None, "description": text, "place": place,
              "resident": {"address": f"webchat:guest-{await count(house)}"}} | more
    fields = {name: value for name, value in fields.items() if value is not None}
    ticket = await house.post("/tickets", fields, who, 201)
    await incident_watch.watch(house.runtime)
    return ticket


async def count(house):
    async with house.db.reading() as session:
        return await session.scalar(select(func.count()).select_from(Ticket))


async def burst(house, number=4):
    numbers = [(await report(house, text))["number"] for text in LIFT[:number]]
    return numbers, (await house.get("/incidents?status=draft"))["items"]


async def confirmed(house, number=4, **more):
    numbers, [draft] = await burst(house, number)
    return numbers, await house.post(f"/incidents/{draft['id']}/confirm", {"text": TEXT, "title": "3号楼电梯停运"} | more)


async def told(house, number):
    async with house.db.reading() as session:
        ticket = await session.scalar(select(Ticket.id).where(Ticket.number == number))
        return [row.text for row in await session.scalars(select(Outbox).where(Outbox.ticket_id == ticket).order_by(Outbox.id))]


async def test_the_fourth_report_at_the_latest_makes_a_draft_and_nobody_is_told_or_linked(house):
    numbers, [draft] = await burst(house)
    assert [item["number"] for item in draft["tickets"]] == numbers and draft["people"] == 4
    assert "3号楼" in draft["place"] and draft["status"] == "draft" and draft["text"] is None
    for number in numbers:
        assert (await house.get(f"/tickets/{number}"))["lead"] is None
        assert not any("知道" in text for text in await told(house, number))
    found = await house.post("/answers", {"question": "3号楼电梯怎么停了"})
    assert not found["citations"] or not found["citations"][0]["guide"].startswith("notice:")


async def test_one_person_who_writes_four_times_is_no_event(house):
    for text in LIFT[:4]:
        await report(house, text, resident={"address": "webchat:guest-1"})
    assert (await house.get("/incidents"))["items"] == []


@pytest.mark.parametrize(
    ("texts", "places"),
    [
        pytest.param(LIFT[:4], ("三号楼", "5栋", "七号楼", "9栋"), id="each another building, days apart"),
        pytest.param(("楼道里有人养鸡", "水压太低洗不了澡", "门禁卡刷不开门", "外墙掉瓷砖"), ("三号楼",) * 4, id="one building, four matters"),
    ],
)
async def test_what_is_no_event_makes_no_draft(house, texts, places):
    for day, (text, place) in enumerate(zip(texts, places, strict=True)):
        plain = text.replace("三号楼", "").replace("3栋的", "").replace("3号楼", "")
        house.move_clock(f"2026-11-2{day * 2 + 1}T10:00:00+08:00")
        await report(house, plain, place)
    assert (await house.get("/incidents"))["items"] == []


async def call_back(house, *numbers):
    """The chats of these residents are gone: a person reaches each of them."""
    for number in numbers:
        [call] = await house.until(lambda number=number: open_calls(house, number))
        await house.post(f"/call-backs/{call['id']}/done", {"reached": True, "note": "已告知"})


async def open_calls(house, number):
    return (await house.get(f"/call-backs?status=open&ticket={number}"))["items"]


async def test_once_confirmed_all_wait_for_one_answer_and_each_is_told_what_is_known(house):
    numbers, incident = await confirmed(house)
    assert incident["status"] == "confirmed" and incident["lead"] == numbers[0] and incident["decided_by"] == "clerk"
    assert [(await house.get(f"/tickets/{number}"))["lead"] for number in numbers] == [None, *numbers[:1] * 3]
    for number in numbers:
        said = await told(house, number)
        assert sum(TEXT in text for text in said) == 1
        assert not any(other in text for text in said for other in numbers if other != number)


async def test_whoever_asks_is_told_like_a_notice_in_force_and_whoever_complains_is_linked_and_told(house):
    numbers, incident = await confirmed(house)
    found = await house.post("/answers", {"question": "3栋电梯怎么停了"})
    assert found["citations"][0]["guide"] == f"notice:{incident['notice']}" and TEXT in found["text"]
    late = await report(house, LIFT[4], "三栋")
    assert (late["lead"], late["version"]) == (numbers[0], 1)
    receipts = await told(house, late["number"])
    assert len(receipts) == 1 and late["number"] in receipts[0] and TEXT in receipts[0] and "不用再次反映" in receipts[0]
    other = await report(house, "小区门口路灯不亮，晚上看不见路", "东门")
    assert other["lead"] is None and other["known_event"] is None


async def test_the_assistant_s_resident_is_given_the_known_event_and_no_number_of_another_ticket(house):
    numbers, _ = await confirmed(house)
    _, matter = await house.open_conversation()
    body = {"kind": "complaint", "description": LIFT[4], "place": "三栋", "resident": {}}
    ticket = await house.post("/tickets", body, "assistant", 201, X_Huiyin_Matter=str(matter))
    assert TEXT in ticket["known_event"] and "lead" not in ticket
    assert not any(number in str(ticket) for number in numbers)


async def test_one_answer_and_one_closing_for_all_each_by_his_own_delivery(house):
    numbers, _ = await confirmed(house)
    late = (await report(house, LIFT[4], "三栋"))["number"]
    await house.do(numbers[0], "accept")
    await house.do(numbers[0], "assign", department="service")
    done = await house.do(numbers[0], "submit", "officer", findings="upheld", action_taken="换了主板", reply="电梯已修好。")
    if done["state"] == "in_approval":
        await house.do(numbers[0], "approve", "supervisor")

    await call_back(house, *numbers)
    await house.do(numbers[0], "close", "officer")
    states = [(await house.get(f"/tickets/{number}"))["state"] for number in [*numbers, late]]
    assert states == ["closed"] * 4 + ["approved"]  # Whom nobody reached yet is not closed with the others.
    await call_back(house, late)
    await house.do(late, "close", "officer")
    proofs = set()
    for number in [*numbers, late]:
        [reply] = (await house.get(f"/tickets/{number}"))["replies"]
        proofs |= {each["platform_id"] for each in reply["deliveries"] if each["status"] == "delivered"}
    assert len(proofs) == 5


async def test_when_its_answer_is_given_the_event_is_over_and_nobody_is_told_any_more(house):
    numbers, incident = await confirmed(house)
    await house.do(numbers[0], "answer_directly", reply="电梯已修好。")
    await call_back(house, numbers[0])
    await incident_watch.settle(house.runtime, clock.now())
    assert (await house.get(f"/incidents/{incident['id']}"))["status"] == "ended"
    assert (await house.get("/notices?in_force=true"))["items"] == []
    assert (await report(house, LIFT[4], "三栋"))["lead"] is None


async def test_its_time_is_over_by_itself(house):
    _, incident = await confirmed(house, valid_to="2026-11-25T18:00:00+08:00")
    house.move_clock("2026-11-25T18:01:00+08:00")
    await incident_watch.watch(house.runtime)
    assert (await house.get(f"/incidents/{incident['id']}"))["status"] == "ended"
    assert (await report(house, LIFT[4], "三栋"))["lead"] is None


async def test_what_does_not_belong_is_left_out_and_another_may_lead(house):
    numbers, [draft] = await burst(house)
    body = {"text": TEXT, "lead": numbers[1], "leave_out": [numbers[3]]}
    await house.post(f"/incidents/{draft['id']}/confirm", body)
    leads = [(await house.get(f"/tickets/{number}"))["lead"] for number in numbers]
    assert leads == [numbers[1], None, numbers[1], None]


async def test_a_dismissed_draft_comes_not_back_with_the_next_report(house):
    _, [draft] = await burst(house)
    await house.post(f"/incidents/{draft['id']}/dismiss", {"reason": "四台电梯各有各的故障"})
    await report(house, LIFT[4], "三栋")
    items = (await house.get("/incidents"))["items"]
    assert [(item["status"], item["reason"]) for item in items] == [("dismissed", "四台电梯各有各的故障")]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        pytest.param({}, 422, "text", id="nothing to tell"),
        pytest.param({"text": TEXT, "valid_to": "2020-01-01T00:00:00+08:00"}, 422, "valid_to", id="over already"),
        pytest.param({"text": TEXT, "lead": "HY20260101-99999"}, 422, "lead", id="a lead that is no report"),
        pytest.param({"text": TEXT, "leave_out": ["HY20260101-99999"]}, 422, "leave_out", id="to leave out what is not in"),
        pytest.param({"text": TEXT, "merge": True}, 422, "merge", id="an unknown field"),
    ],
)
async def test_a_confirmation_that_cannot_be_is_refused_and_changes_nothing(house, body, status, field):
    _, [draft] = await burst(house)
    answer = await house.post(f"/incidents/{draft['id']}/confirm", body, status=status)
    assert answer["field"] == field
    assert (await house.get(f"/incidents/{draft['id']}"))["status"] == "draft"
    assert (await house.get("/notices"))["items"] == []


async def test_who_may_decide_and_that_it_is_decided_once(house):
    _, [draft] = await burst(house)
    path = f"/incidents/{draft['id']}"
    await house.post(f"{path}/confirm", {"text": TEXT}, "officer", 403)
    await house.post(f"{path}/dismiss", {"reason": "r"}, "auditor", 403)
    await house.get("/incidents", "editor", 403)
    await house.get("/incidents?status=open", status=422)
    await house.post("/incidents/999/confirm", {"text": TEXT}, status=404)
    await house.post(f"{path}/end", status=409)
    await house.post(f"{path}/confirm", {"text": TEXT}, "supervisor")
    await house.post(f"{path}/confirm", {"text": TEXT}, status=409)
    await house.post(f"{path}/dismiss", {"reason": "r"}, status=409)
    assert (await house.post(f"{path}/end"))["status"] == "ended"


async def test_an_event_is_opened_by_hand_from_tickets_a_person_knows(house):
    numbers = [(await report(house, text, place))["number"] for text, place in ((LIFT[0], "三号楼"), ("水管爆了", "5栋"))]
    await house.post("/incidents", {"tickets": ["HY20260101-99999"], "text": TEXT}, status=422)
    made = await house.post("/incidents", {"tickets": numbers, "text": TEXT, "places": ["三号楼", "五栋"]}, status=201)
    assert made["status"] == "confirmed" and made["lead"] == numbers[0]
    assert (await house.get(f"/tickets/{numbers[0]}"))["linked"] == numbers[1:]
    await house.post("/incidents", {"tickets": numbers, "text": TEXT}, status=409)


async def test_a_confidential_ticket_is_no_report_of_an_event(house):
    for text in LIFT[:4]:
        await report(house, text, confidential=True)
    assert (await house.get("/incidents"))["items"] == []


async def test_clerks_see_repeats_on_the_ticket_and_others_do_not(house):
    first, second = await report(house, LIFT[0]), await report(house, LIFT[1])
    [item] = (await house.get(f"/tickets/{second['number']}/repeats"))["items"]
    assert item["number"] == first["number"] and {each["feature"] for each in item["because"]} >= {"place", "words", "time"}
    await house.get(f"/tickets/{second['number']}/repeats", "editor", 404)
    await house.get("/tickets/HY20261125-99999/repeats", status=404)


async def test_hot_spots_are_counted_by_place_and_category_beside_the_period_before(house):
    house.move_clock("2026-10-20T10:00:00+08:00")
    await report(house, LIFT[0])
    house.move_clock("2026-11-25T10:00:00+08:00")
    for text in LIFT[:3]:
        await report(house, text)
    await report(house, "东门的路灯坏了", "东门")
    [spot, *_] = (await house.get("/hot-spots"))["items"]
    assert (spot["tickets"], spot["people"], spot["open"], spot["before"]) == (3, 3, 3, 1) and "3号楼" in spot["place"]
    assert not any("东门" in each["place"] for each in (await house.get("/hot-spots"))["items"])
    period = "from=2026-10-01T00:00:00%2B08:00&to=2026-11-01T00:00:00%2B08:00"
    assert (await house.get(f"/hot-spots?{period}"))["items"] == []
    for wrong in ("from=gestern", "to=2026-11-01", "from=2027-01-01T00:00:00%2B08:00", "from=2020-01-01T00:00:00%2B08:00"):
        await house.get(f"/hot-spots?{wrong}", status=422)


async def test_two_who_confirm_at_one_moment_confirm_once(house):
    _, [draft] = await burst(house)
    answers = await asyncio.gather(*(
        house.call("POST", f"/incidents/{draft['id']}/confirm", who, {"text": TEXT}) for who in ("clerk", "clerk2")))
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert len((await house.get("/notices"))["items"]) == 1
    async with house.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Incident)) == 1


async def test_a_report_that_came_a_week_before_is_none_of_this_event(house):
    house.move_clock((clock.now() - timedelta(days=9)).isoformat())
    await report(house, LIFT[0])
    house.move_clock("2026-11-25T10:00:00+08:00")
    numbers = [(await report(house, text))["number"] for text in LIFT[1:4]]
    [draft] = (await house.get("/incidents"))["items"]
    assert [item["number"] for item in draft["tickets"]] == numbers


async def test_it_is_worked_on_the_console(house):
    numbers, [draft] = await burst(house)
    await enter(house, await link_for(house, "cai", "clerk"))
    page = await (await house.client.get("/staff/incidents")).text()
    assert LIFT[0][:20] in page and all(number in page for number in numbers) and "确认" in page
    token = page.split('name="form_token" value="')[1].split('"')[0]
    form = {"form_token": token, "text": TEXT, "title": "3号楼电梯停运"}
    answer = await house.client.post(f"/staff/incidents/{draft['id']}/confirm", data=form, allow_redirects=False)
    assert answer.status == 303
    page = await (await house.client.get("/staff/incidents")).text()
    assert TEXT in page and "结束" in page
    page = await (await house.client.get(f"/staff/tickets/{numbers[1]}")).text()
    assert numbers[0] in page and "3号楼" in page
    page = await (await house.client.get("/staff/hot-spots")).text()
    assert "3号楼" in page
