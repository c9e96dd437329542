"""What nobody could answer is answered once by an editor, and whoever asked is told, once."""

import re

import pytest
from sqlalchemy import select

from core import clock
from core.conversation import Matter
from knowledge_base.tables import Unanswered
from service import guide_calendar, open_questions, sign_in
from tests.service.test_api_guides import make
from ticketing import staff

ASKED = ("汗蒸房能带宠物狗吗", "宠物狗可以进汗蒸房吗", "宠物狗让进汗蒸房吗")


async def keep(house, question, matter=None, status="no_guide"):
    async with house.db.writing() as session:
        row = Unanswered(preset="property", question=question, status=status, reason="below_threshold",
                         nearest="sauna", matter_id=matter, asked_at=clock.now())
        session.add(row)
        await session.flush()
        return row.id


async def publish(house):
    await make(house)
    await house.post("/guides/sauna/publish", {}, "editor")


async def told(house):
    rows = (await house.get("/outbox?limit=200", "administrator"))["items"]
    return [(row["conversation"], row["text"]) for row in rows if row["origin"] == "progress"]


async def test_questions_are_themes_with_counts(house):
    await publish(house)
    for question in (*ASKED, "电视台在哪"):
        await keep(house, question)
    first, second = (await house.get("/unanswered", "editor"))["items"]
    assert (first["count"], first["nearest"]["title"], second["question"]) == (3, "汗蒸房预约", "电视台在哪")
    assert {each["question"] for each in first["questions"]} == set(ASKED)
    page = await house.get("/unanswered?limit=1", "editor")
    assert page["next"] == "1" and (await house.get("/unanswered?limit=1&after=1", "editor"))["items"] == [second]


async def test_an_answer_becomes_an_faq_line_and_each_resident_is_told_once(house):
    await publish(house)
    (one, matter), (other, matter2) = [await house.open_conversation(name) for name in ("guest-1", "guest-2")]
    ids = [await keep(house, ASKED[0], matter), await keep(house, ASKED[1], matter), await keep(house, ASKED[2], matter2)]
    body = {"how": "faq", "guide": "sauna", "question": "汗蒸房能带宠物狗吗？", "answer": "不能，导盲犬除外。"}
    done = await house.post(f"/unanswered/{ids[0]}/answer", body, "editor")
    assert done == {"settled": ids, "guide": "sauna", "told": 2}
    found = await told(house)
    assert sorted(each[0] for each in found) == [one, other]
    assert all("不能，导盲犬除外。" in text and "《汗蒸房预约》第2版" in text for _, text in found)
    await guide_calendar.run_calendar(house.runtime, clock.now())
    assert len(await told(house)) == 2
    assert (await house.get("/unanswered", "editor"))["items"] == []
    guide = await house.get("/guides/sauna", "editor")
    assert guide["faq"][-1] == {"question": "汗蒸房能带宠物狗吗？", "answer": "不能，导盲犬除外。"}
    assert (await house.post(f"/unanswered/{ids[0]}/answer", body, "editor", 409))["detail"]

    async def answered():
        found = await house.post("/answers", {"question": "汗蒸房能带宠物狗吗？"})
        return found["status"] == "answered" and "《汗蒸房预约》第2版" in found["text"]

    await house.until(answered)


async def test_a_word_that_was_missing_leads_to_the_guide(house):
    await publish(house)
    row = await keep(house, "松骨房")
    await house.post(f"/unanswered/{row}/answer", {"how": "alias", "guide": "sauna"}, "editor")
    assert "松骨房" in (await house.get("/guides/sauna"))["aliases"]

    async def answered():
        return (await house.post("/answers", {"question": "松骨房"}))["status"] == "answered"

    await house.until(answered)


async def test_who_asked_hears_of_a_new_guide_when_it_is_published(house):
    await make(house)
    _, matter = await house.open_conversation()
    row = await keep(house, ASKED[0], matter)
    done = await house.post(f"/unanswered/{row}/answer", {"how": "guide", "guide": "sauna"}, "editor")
    assert done["told"] == 0 and await told(house) == []
    await house.post("/guides/sauna/publish", {}, "editor")
    for _ in range(2):
        await guide_calendar.run_calendar(house.runtime, clock.now())
    [(_, text)] = await told(house)
    assert "业主可以预约一楼汗蒸房" in text and "/guides/sauna" in text


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        pytest.param("clerk", {}, 403, id="a clerk edits no guide"),
        pytest.param("editor", {"how": "shout"}, 422, id="no such way"),
        pytest.param("editor", {"how": "faq", "guide": "sauna"}, 422, id="an FAQ line without an answer"),
        pytest.param("editor", {"how": "faq", "answer": "不能。"}, 422, id="no guide named"),
        pytest.param("editor", {"how": "faq", "guide": "nothing", "answer": "不能。"}, 422, id="a guide that is not there"),
        pytest.param("editor", {"how": "nothing", "questions": [99]}, 422, id="a question that is not open"),
    ],
)
async def test_what_cannot_be_settled_stays_open(house, who, body, status):
    await publish(house)
    row = await keep(house, ASKED[0])
    await house.post(f"/unanswered/{row}/answer", body, who, status)
    await house.post("/unanswered/999/answer", body, who, 404)
    assert (await house.get("/unanswered", "editor"))["items"][0]["count"] == 1
    assert len((await house.get("/guides/sauna", "editor"))["faq"]) == 4


async def test_an_unfinished_edit_is_not_published_along_the_way(house):
    await publish(house)
    await house.call("PUT", "/guides/sauna", "editor", {"fields": {"fee": "待定"}})
    row = await keep(house, ASKED[0])
    await house.post(f"/unanswered/{row}/answer", {"how": "faq", "guide": "sauna", "answer": "不能。"}, "editor", 409)
    assert (await house.get("/guides/sauna", "editor"))["fields"]["fee"] == "每次20元。"


async def test_a_badly_rated_reply_and_a_question_asked_twice_are_open_questions_too(house):
    number = (await house.register(kind="consultation", category=None, description="汗蒸房几点关门"))["number"]
    await house.do(number, "answer_directly", reply="不知道。")
    async with house.db.writing() as session:
        from ticketing.model import Ticket

        (await session.scalar(select(Ticket).where(Ticket.number == number))).satisfied = 1
    talk, matter = await house.open_conversation()
    from core import conversation as conversations

    async with house.db.writing() as session:
        conversation = await session.get_one(conversations.Conversation, talk)
        for text in ("汗蒸房多久打扫一次", "汗蒸房到底多久打扫一次啊", "谢谢"):
            await conversations.record_message(session, conversation, clock.now(), author="resident", text=text,
                                               matter=await session.get_one(Matter, matter))
    for expected in (2, 0):
        async with house.db.writing() as session:
            assert await open_questions.collect(house.runtime, session, clock.now()) == expected
    themes = (await house.get("/unanswered", "editor"))["items"]
    assert sorted(status for theme in themes for status in theme["statuses"]) == ["asked_again", "badly_rated"]


async def sign_in_as(house, name, *roles):
    async with house.db.writing() as session:
        await staff.add(session, name, list(roles), None, None, clock.now())
        token = await sign_in.make_link(session, name, clock.now())
    await house.client.post("/staff/enter", data={"token": token})


async def test_an_editor_answers_on_a_plain_page(house):
    await publish(house)
    row = await keep(house, "<b>汗蒸房</b>能带宠物狗吗")
    await sign_in_as(house, "bian", "editor")
    page = await (await house.client.get("/staff/unanswered")).text()
    assert "&lt;b&gt;汗蒸房" in page and "没有指南 1" in page and "汗蒸房预约" in page
    form = {"form_token": re.search(r'name="form_token" value="([^"]+)"', page)[1], "how": "faq", "guide": "sauna",
            "question": "能带狗吗？", "answer": "不能。", "alias": ""}
    refused = await house.client.post(f"/staff/unanswered/{row}", data=form | {"answer": ""})
    assert "写下答复" in await refused.text()
    page = await (await house.client.post(f"/staff/unanswered/{row}", data=form)).text()
    assert "没有等答复的问题" in page
    assert (await house.get("/guides/sauna"))["faq"][-1]["question"] == "能带狗吗？"


async def test_a_clerk_does_not_read_the_editors_page(house):
    await sign_in_as(house, "cai", "clerk")
    assert (await house.client.get("/staff/unanswered")).status == 403
    assert "/staff/unanswered" not in await (await house.client.get("/staff/")).text()
    await house.get("/unanswered", "clerk", 403)
