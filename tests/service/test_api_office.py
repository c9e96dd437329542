"""The office over the API: departments, categories, calendar, answers, notices, call-backs, conversations."""

import pytest

from tests.service.house import EVENING, open_house

HALL_NAMES = {"城乡建设", "环境保护", "交通运输", "教育文体", "劳动和社会保障", "商贸旅游", "卫生计生"}


async def test_departments_and_categories_are_listed(house):
    departments = (await house.get("/departments"))["items"]
    codes = {item["code"] for item in departments}
    assert {"service", "engineering"} <= codes and all(item["name"] for item in departments)
    categories = (await house.get("/categories"))["items"]
    known = {item["code"] for item in categories}
    for item in categories:
        assert item["name"] and item["department"] in codes and isinstance(item["approval"], bool)
        assert isinstance(item["materials"], list)
        assert item.get("parent") is None or item["parent"] in known


async def test_the_halls_first_level_has_its_names(tmp_path, empty_database):
    house, close = await open_house(tmp_path, empty_database, office={"preset": "hall"})
    try:
        items = (await house.get("/categories"))["items"]
        assert {item["name"] for item in items if not item.get("parent")} >= HALL_NAMES
    finally:
        await close()


DUE = [
    ("2026-11-27T16:40", "2 working hours", "hours", "2026-11-30T10:10"),
    ("2026-11-27T20:00", "1 working day", "next_day", "2026-11-30T17:30"),
    ("2026-11-28T10:00", "1 working day", "next_day", "2026-11-30T17:30"),
    ("2026-11-28T10:00", "1 working day", "inclusive", "2026-11-30T17:30"),
    ("2026-11-30T08:00", "1 working day", "inclusive", "2026-11-30T17:30"),
    ("2026-11-30T18:00", "2 working days", "inclusive", "2026-12-01T17:30"),
    ("2026-11-30T11:30", "0.5 working hours", "hours", "2026-11-30T12:00"),
    ("2026-09-30T10:00", "3 working days", "next_day", "2026-10-10T17:30"),
    ("2026-11-30T10:00", "24 hours", "natural", "2026-12-01T10:00"),
    ("2027-02-28T10:00", "15 days", "natural", "2027-03-15T10:00"),
]
WRONG_DUE = [
    {"target": "1.5 working days"}, {"target": "2 working hours", "count": "next_day"}, {"target": "soon"}, {},
    {"target": "1 working day", "start": "yesterday"}, {"target": "1 working day", "department": "nowhere"},
    {"target": "99999 days", "start": "9999-12-01T00:00:00+08:00"},
]


async def test_the_worked_table_of_the_calendar_holds_over_http(house):
    headers = {"Authorization": "Bearer token-of-clerk"}
    for start, target, count, due in DUE:
        query = {"start": f"{start}:00+08:00", "target": target, "count": count}
        response = await house.client.get("/api/v1/calendar/due", params=query, headers=headers)
        body = await response.json()
        assert body["due_at"] == f"{due}:00+08:00", (start, target, count)
        assert body["steps"]
    for query in WRONG_DUE:
        response = await house.client.get("/api/v1/calendar/due", params=query, headers=headers)
        assert response.status == 422, query


async def test_the_calendar_lists_days_with_their_hours(house):
    items = (await house.get("/calendar?from=2026-09-30&to=2026-10-10"))["items"]
    by_date = {item["date"]: item for item in items}
    assert len(items) == 11
    assert by_date["2026-09-30"]["hours"] == [["09:00", "12:00"], ["14:00", "17:30"]]
    assert not by_date["2026-10-01"]["working"] and by_date["2026-10-01"]["hours"] == []
    assert by_date["2026-10-10"]["working"] and {"source", "provisional"} <= by_date["2026-10-10"].keys()
    for query in ("from=x", "from=2026-10-10&to=2026-10-01", "from=0001-01-01&to=9999-12-31"):
        await house.get(f"/calendar?{query}", status=422)


async def until_ready(house):
    async def ready():
        return house.runtime.knowledge.is_ready

    await house.until(ready)


async def test_answers_quote_the_guide_or_say_that_there_is_none(guided):
    await until_ready(guided)
    answer = await guided.post("/answers", {"question": "物业费怎么交"}, "clerk")
    assert answer["status"] == "answered" and answer["citations"]
    for citation in answer["citations"]:
        assert {"guide", "section", "title", "version", "checked_on", "quote"} <= citation.keys()
        assert citation["quote"] in answer["text"]
    none = await guided.post("/answers", {"question": "火星签证要什么材料"}, "clerk")
    assert none["status"] in ("no_guide", "out_of_scope") and none["citations"] == []
    hall = await guided.post("/answers", {"question": "居住证要什么材料", "preset": "hall"}, "clerk")
    assert hall["status"] == "answered" and hall["citations"][0]["guide"] == "residence-permit"
    mixed = await guided.post("/answers", {"question": "居住证要什么材料"}, "clerk")
    assert "residence-permit" not in [item["guide"] for item in mixed["citations"] + mixed["candidates"]]
    await guided.post("/answers", {"question": "x", "preset": "hotel"}, "clerk", 422)
    await guided.post("/answers", {"question": ""}, "clerk", 422)


async def test_a_notice_in_force_is_answered_first_until_it_is_withdrawn(guided):
    await until_ready(guided)
    body = {"title": "3栋停水通知", "text": "11月25日9时至18时，3栋停水检修。", "places": ["3栋"],
            "valid_from": "2026-11-25T08:00:00+08:00", "valid_to": "2026-11-25T18:00:00+08:00"}
    await guided.post("/notices", body, "clerk", 403)
    await guided.post("/notices", body | {"valid_to": body["valid_from"]}, "editor", 422)
    notice = await guided.post("/notices", body, "editor", 201)
    assert [item["id"] for item in (await guided.get("/notices"))["items"]] == [notice["id"]]
    answer = await guided.post("/answers", {"question": "3栋今天怎么停水了"}, "clerk")
    assert answer["citations"][0]["guide"] == f"notice:{notice['id']}", answer
    assert (await guided.call("DELETE", "/notices/999", "clerk")).status == 404
    assert (await guided.call("DELETE", f"/notices/{notice['id']}", "clerk")).status == 403
    assert (await guided.call("DELETE", f"/notices/{notice['id']}", "supervisor")).status == 204
    after = await guided.post("/answers", {"question": "3栋今天怎么停水了"}, "clerk")
    assert f"notice:{notice['id']}" not in [item["guide"] for item in after["citations"]]
    assert (await guided.get("/notices"))["items"] == []


async def test_understanding_gives_offsets_in_the_text_as_sent(house):
    text = "  明天3栋停水"
    house.rasa.parsed = {
        "intent": {"name": "report_emergency", "confidence": 0.9}, "intent_ranking": [],
        "entities": [{"entity": "place", "start": 2, "end": 4, "value": "3栋"},
                     {"entity": "time", "start": 0, "end": 2, "from": "a", "to": "b"}],
    }
    found = await house.post("/understand", {"text": text, "channel": "webchat"})
    assert [text[item["start"]:item["end"]] for item in found["entities"]] == ["3栋", "明天"]
    assert [item["value"] for item in found["entities"]] == ["3栋", "明天"]
    assert (found["kind"], found["urgency"]) == ("request", "emergency")
    house.rasa.is_away = True
    await house.post("/understand", {"text": text, "channel": "webchat"}, status=503)


async def test_a_resident_without_address_gets_a_call_that_delivers(house):
    number = (await house.register(resident={"name": "林小雨"}))["number"]
    assert (await house.work(number))["state"] == "approved"
    (call,) = (await house.get(f"/call-backs?ticket={number}&status=open"))["items"]
    assert call["text"] and call["status"] == "open"
    await house.do(number, "close", "officer", 409)
    await house.post(f"/call-backs/{call['id']}/done", {"reached": True, "note": "x"}, "supervisor", 403)
    await house.post("/call-backs/999/done", {"reached": True, "note": "x"}, status=404)
    await house.post(f"/call-backs/{call['id']}/done", {"reached": True}, status=422)
    await house.post(f"/call-backs/{call['id']}/done", {"reached": False, "note": "没有接"})
    assert (await house.get(f"/tickets/{number}"))["state"] == "approved"
    done = await house.post(f"/call-backs/{call['id']}/done", {"reached": True, "note": "已告知"})
    assert done["status"] == "done" and done["attempts"] == 2
    assert (await house.get(f"/tickets/{number}"))["state"] == "replied"
    await house.post(f"/call-backs/{call['id']}/done", {"reached": True, "note": "x"}, status=409)
    assert (await house.do(number, "close", "officer"))["state"] == "closed"


async def test_a_conversation_is_taken_by_one_spoken_in_and_given_back(house):
    talk, _, _ = await house.write_from("m1")
    await house.post(f"/conversations/{talk}/take", {}, "officer", 404)
    taken = await house.post(f"/conversations/{talk}/take", {}, "clerk")
    assert (taken["holder"], taken["taken_by"]) == ("staff", "clerk")
    await house.post(f"/conversations/{talk}/take", {}, "clerk2", 409)
    await house.post(f"/conversations/{talk}/messages", {"text": "您好"}, "clerk2", 409)
    await house.post(f"/conversations/{talk}/messages", {"text": ""}, "clerk", 422)
    await house.post(f"/conversations/{talk}/messages", {"text": "您好，请说"}, "clerk", 201)
    assert [item["id"] for item in (await house.get("/conversations?holder=staff"))["items"]] == [talk]

    async def sent():
        rows = (await house.get(f"/outbox?conversation={talk}&status=done"))["items"]
        return next((row for row in rows if row["text"] == "您好，请说"), None)

    row = await house.until(sent)
    assert (row["origin"], row["result"]) == ("staff", "sent")
    back = await house.post(f"/conversations/{talk}/give_back", {}, "clerk")
    assert (back["holder"], back["taken_by"]) == ("assistant", None)
    await house.post(f"/conversations/{talk}/give_back", {}, "clerk", 409)
    messages = (await house.get(f"/messages?conversation={talk}"))["items"]
    assert [item["seq"] for item in messages] == list(range(1, len(messages) + 1))
    assert messages[0]["from"] == "resident" and "staff" in {item["from"] for item in messages}
    await house.get("/messages", status=422)
    await house.get("/messages?conversation=999", status=404)


@pytest.mark.parametrize("hour", ["open", "closed"])
async def test_handing_over_gives_a_place_and_out_of_hours_a_ticket(house, hour):
    talk, matter = await house.open_conversation("guest-1")
    _, second = await house.open_conversation("guest-2")
    if hour == "closed":
        house.move_clock(EVENING)
    body = {"reason": "要人工", "summary": "电梯的事"}
    await house.post("/hand-over", body, "clerk", 403)
    first = await house.post("/hand-over", body, "assistant", X_Huiyin_Matter=str(matter))
    assert (first["conversation"], first["position"], first["open"]) == (talk, 1, hour == "open")
    assert bool(first["ticket"]) == bool(first["promise"]) == (hour == "closed")
    other = await house.post("/hand-over", body, "assistant", X_Huiyin_Matter=str(second))
    assert other["position"] == 2
    if hour == "closed":
        assert (await house.get(f"/tickets/{first['ticket']}"))["kind"] == "consultation"


async def test_while_the_assistant_is_away_one_ticket_holds_all_that_was_said(house):
    house.rasa.is_away = True
    talk, _, _ = await house.write_from("m1", "小区门口的路灯不亮")
    (ticket,) = (await house.get(f"/tickets?conversation={talk}"))["items"]
    assert ticket["kind"] == "consultation" and "路灯" in ticket["description"]
    sent = (await house.get(f"/outbox?conversation={talk}"))["items"]
    assert any(ticket["number"] in row["text"] for row in sent)


async def test_the_matter_tells_the_assistant_what_it_may_know(house):
    talk, matter = await house.open_conversation()
    found = await house.get("/matter", "assistant", X_Huiyin_Matter=str(matter))
    assert found | {"now": ""} == {
        "matter": matter, "conversation": talk, "channel": "webchat", "interactive": True, "preset": "property",
        "office": house.runtime.office.name, "last_guide": None, "form_open": False, "settled": None,
        "known": {"name": False, "phone": False}, "now": "",
    }
    await house.get("/matter", "assistant", 404)
    await house.get("/matter", "clerk", 403)
