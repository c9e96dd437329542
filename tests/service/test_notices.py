"""A notice is put up in a minute, answered first where question and place fit, and gone by itself."""

import pytest

from core import conversation as conversations
from core.conversation import Matter

STOP = {
    "title": "停水通知", "text": "因水箱清洗，3幢今天10:00至16:00停水，请提前储水。", "places": ["3幢"],
    "valid_from": "2026-11-25T09:00:00+08:00", "valid_to": "2026-11-25T16:00:00+08:00",
}


async def ask(house, question, **more):
    found = await house.post("/answers", {"question": question} | more)
    return found["citations"][0]["guide"] if found["citations"] else None, found["text"]


@pytest.mark.parametrize(
    ("question", "place", "told"),
    [
        pytest.param("怎么没水了", "3幢2单元", True, id="his place"),
        pytest.param("怎么没水了", "三号楼二单元", True, id="his place, written in another way"),
        pytest.param("3#停水到几点", None, True, id="the question names the place in another way"),
        pytest.param("怎么没水了", "13栋", False, id="a building whose number ends alike"),
        pytest.param("怎么没水了", None, True, id="nobody knows where he is"),
        pytest.param("3幢停水到几点", None, True, id="the question names the place"),
        pytest.param("怎么没水了", "5幢301", False, id="another place"),
        pytest.param("5幢停水吗", None, False, id="the question names another place"),
        pytest.param("停车费多少钱一个月", "3幢2单元", False, id="another matter"),
    ],
)
async def test_it_is_answered_first_where_question_and_place_fit(guided, question, place, told):
    notice = await guided.post("/notices", STOP, "editor", 201)
    cited, text = await ask(guided, question, place=place)
    assert (cited == f"notice:{notice['id']}") is told
    assert ("请提前储水" in text) is told


async def test_it_waits_for_its_time_and_goes_by_itself(guided):
    await guided.post("/notices", STOP | {"valid_from": "2026-11-25T12:00:00+08:00"}, "supervisor", 201)
    assert "请提前储水" not in (await ask(guided, "怎么没水了"))[1]
    for moment, told in [("2026-11-25T12:00:30+08:00", True), ("2026-11-25T15:59:00+08:00", True),
                         ("2026-11-25T16:00:30+08:00", False)]:
        guided.move_clock(moment)
        assert ("请提前储水" in (await ask(guided, "怎么没水了"))[1]) is told, moment
    assert (await guided.get("/notices?in_force=true"))["items"] == []
    assert len((await guided.get("/notices"))["items"]) == 1


async def test_it_belongs_to_one_preset_only(guided):
    await guided.post("/notices", STOP | {"places": []}, "editor", 201)
    assert "请提前储水" in (await ask(guided, "怎么没水了"))[1]
    assert "请提前储水" not in (await ask(guided, "怎么没水了", preset="hall"))[1]


async def test_taken_down_it_answers_nobody(guided):
    notice = await guided.post("/notices", STOP, "editor", 201)
    assert (await guided.call("DELETE", f"/notices/{notice['id']}", "editor")).status == 204
    assert "请提前储水" not in (await ask(guided, "怎么没水了"))[1]


async def test_a_resident_is_known_to_live_where_his_last_ticket_was(guided):
    await guided.post("/notices", STOP, "editor", 201)
    _, matter = await guided.open_conversation()
    body = {"kind": "request", "description": "门禁坏了", "place": "5幢2单元", "resident": {}}
    await guided.post("/tickets", body, "assistant", 201, X_Huiyin_Matter=str(matter))
    async with guided.db.writing() as session:
        old = await session.get_one(Matter, matter)
        talk = await session.get_one(conversations.Conversation, old.conversation_id)
        matter = (await conversations.open_matter(session, talk, old.opened_at)).id
    found = await guided.post("/answers", {"question": "怎么没水了"}, "assistant", X_Huiyin_Matter=str(matter))
    assert "请提前储水" not in found["text"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param({"valid_to": "2026-11-25T09:00:00+08:00"}, "valid_to", id="ends when it begins"),
        pytest.param({"valid_from": "2026-11-24T08:00:00+08:00", "valid_to": "2026-11-24T09:00:00+08:00"}, "valid_to",
                     id="over already"),
        pytest.param({"text": "  "}, "text", id="says nothing"),
        pytest.param({"valid_to": "2026-11-25T16:00:00"}, "valid_to", id="a time without an offset"),
    ],
)
async def test_a_notice_that_cannot_be_is_refused_by_field(guided, changed, field):
    refused = await guided.post("/notices", STOP | changed, "editor", 422)
    assert refused["field"] == field
    await guided.post("/notices", STOP, "clerk", 403)


async def test_residents_see_it_on_the_first_page_while_it_is_in_force(guided):
    await guided.post("/notices", STOP | {"title": "停水<b>通知</b>"}, "editor", 201)
    for path in ("/", "/guides"):
        page = await (await guided.client.get(path)).text()
        assert "请提前储水" in page and "停水&lt;b&gt;" in page
    guided.move_clock("2026-11-25T16:00:30+08:00")
    assert "请提前储水" not in await (await guided.client.get("/")).text()
