"""Quick work: canned replies filled in from the ticket, mentions, views, and one verb on many tickets."""

import pytest

from core import clock
from ticketing import staff_notices

CANNED = {"title": "已派人", "text": "尊敬的{居民}：您反映的{地点}的问题（{工单号}）已派人处理。{单位}，{今天}"}


async def _register(house, count: int, **fields: object) -> list[str]:
    return [(await house.register(**fields))["number"] for _ in range(count)]


# Canned replies.


async def test_a_canned_reply_comes_filled_in_from_the_ticket(house):
    await house.post("/canned-replies", CANNED, "supervisor", 201)
    number = (await house.register(place="3号楼东门"))["number"]
    (found,) = (await house.get(f"/tickets/{number}/canned-replies"))["items"]
    assert "3号楼东门" in found["text"] and number in found["text"] and "2026年11月25日" in found["text"]
    assert "业主" in found["text"] and "{" not in found["text"] and found["missing"] == []


async def test_what_the_ticket_does_not_say_must_be_filled_in_before_it_goes_to_the_resident(house):
    await house.post("/canned-replies", CANNED, "supervisor", 201)
    number = await _in_hand(house)
    (found,) = (await house.get(f"/tickets/{number}/canned-replies", "engineer"))["items"]
    assert found["missing"] == ["地点"] and "【请填写：地点】" in found["text"]
    refused = await house.do(
        number, "submit", "engineer", 422, findings="upheld", action_taken="维修", reply=found["text"]
    )
    assert refused["field"] == "reply" and "请填写" in refused["detail"]
    await house.do(number, "progress", "engineer", 422, text=found["text"])
    await house.do(number, "note", "engineer", text=found["text"])
    done = found["text"].replace("【请填写：地点】", "东门")
    await house.do(number, "submit", "engineer", findings="upheld", action_taken="维修", reply=done)


async def _in_hand(house) -> str:
    number = (await house.register(category="repairs-plumbing"))["number"]
    await house.do(number, "accept")
    await house.do(number, "assign", department="engineering")
    return number


async def test_the_nearest_texts_come_first_and_those_of_other_matters_not_at_all(house):
    for title, category in (("通用", None), ("别的", "noise"), ("水管", "repairs-plumbing")):
        if category == "noise" and category not in {c.code for c in house.runtime.office.preset.categories}:
            category = next(c.code for c in house.runtime.office.preset.categories if c.code != "repairs-plumbing")
        await house.post("/canned-replies", {"title": title, "text": "好", "category": category}, "editor", 201)
    number = (await house.register(category="repairs-plumbing"))["number"]
    found = (await house.get(f"/tickets/{number}/canned-replies"))["items"]
    assert [item["title"] for item in found] == ["水管", "通用"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"text": "{手机号}您好"}, "text"),
        ({"text": ""}, "text"),
        ({"category": "nothing-of-ours"}, "category"),
        ({"department": "nowhere"}, "department"),
        ({"purpose": "poem"}, "purpose"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_text_that_nothing_could_fill_in_is_refused(house, changed, field):
    assert (await house.post("/canned-replies", CANNED | changed, "supervisor", 422))["field"] == field
    assert (await house.get("/canned-replies"))["items"] == []


async def test_two_editors_do_not_overwrite_each_other(house):
    row = await house.post("/canned-replies", CANNED, "supervisor", 201)
    path = f"/canned-replies/{row['id']}"
    first = await house.call("PUT", path, "editor", CANNED | {"text": "一"}, If_Match='"1"')
    second = await house.call("PUT", path, "supervisor", CANNED | {"text": "二"}, If_Match='"1"')
    assert (first.status, second.status) == (200, 412)
    (kept,) = (await house.get("/canned-replies"))["items"]
    assert (kept["text"], kept["version"]) == ("一", 2)
    assert (await house.call("DELETE", path, "clerk")).status == 403
    assert (await house.call("DELETE", path, "editor")).status == 204
    assert (await house.call("DELETE", path, "editor")).status == 404


# Mentions.


async def test_who_is_mentioned_in_a_note_hears_of_it_on_the_console(house):
    number = await _in_hand(house)
    await house.do(number, "note", text="@engineer 居民电话13800550123，请先联系")
    async with house.db.writing() as session:
        await staff_notices.tell_waiting(session, house.runtime.office, clock.now())
    (told,) = (await house.get("/staff_notices", "engineer"))["items"]
    assert told["ticket"] == number and "clerk" in told["text"]
    assert "13800550123" not in told["text"] and "PHONE" not in told["text"]


async def test_who_may_not_see_the_ticket_cannot_be_asked_about_it(house):
    number = await _in_hand(house)
    before = await house.get(f"/tickets/{number}")
    refused = await house.do(number, "note", status=422, text="@guard 看一下")
    assert refused["field"] == "text" and "guard" in refused["detail"]
    assert (await house.get(f"/tickets/{number}"))["version"] == before["version"]
    await house.do(number, "note", text="给 nobody@example.com 发过信，@没有这个人 也不要紧")


# Views.


async def test_views_list_what_they_say_and_each_sees_what_he_may(house):
    mine, other = await _in_hand(house), (await house.register())["number"]
    await house.do(mine, "reassign", "engineer", assignee="engineer")
    found = (await house.get("/tickets?view=mine", "engineer"))["items"]
    assert [item["number"] for item in found] == [mine]
    view = await house.post("/views", {"name": "新来的", "filters": {"state": "registered"}, "shared": True},
                            "supervisor", 201)
    assert [item["number"] for item in (await house.get(f"/tickets?view={view['id']}"))["items"]] == [other]
    assert (await house.get(f"/tickets?view={view['id']}&kind=praise"))["items"] == []
    assert view["id"] in [item["id"] for item in (await house.get("/views", "engineer"))["items"]]


async def test_a_view_of_ones_own_is_nobody_elses(house):
    view = await house.post("/views", {"name": "我的", "filters": {"q": "漏水"}}, "clerk", 201)
    assert view["id"] not in [item["id"] for item in (await house.get("/views", "engineer"))["items"]]
    await house.get(f"/tickets?view={view['id']}", "engineer", 404)
    assert (await house.call("DELETE", f"/views/{view['id']}", "engineer")).status == 404
    await house.post("/views", {"name": "我的", "filters": {"q": "停电"}}, "clerk", 422)
    await house.post("/views", {"name": "大家的", "filters": {}, "shared": True}, "clerk", 403)
    assert (await house.call("DELETE", f"/views/{view['id']}", "clerk")).status == 204


@pytest.mark.parametrize(
    "filters", [{"colour": "red"}, {"overdue": "maybe"}, {"due_within": "0"}, {"resident": "x"}], ids=str
)
async def test_a_view_that_could_list_nothing_is_refused(house, filters):
    assert (await house.post("/views", {"name": "坏", "filters": filters}, "clerk", 422))["field"]


async def test_every_built_in_view_can_be_opened(house):
    number = (await house.register(urgency="emergency"))["number"]
    listed = {}
    for view in (await house.get("/views"))["items"]:
        listed[view["id"]] = [item["number"] for item in (await house.get(f"/tickets?view={view['id']}"))["items"]]
    assert listed["new"] == listed["emergency"] == [number] and listed["mine"] == listed["overdue"] == []
    await house.get("/tickets?view=nothing", status=404)


async def test_soon_lists_what_is_due_and_not_yet_over(house):
    number = (await house.register())["number"]
    assert number in [item["number"] for item in (await house.get("/tickets?due_within=48"))["items"]]
    house.move_clock("2026-12-20T10:00:00+08:00")
    assert (await house.get("/tickets?due_within=48"))["items"] == []


# One verb on many.


async def test_a_trial_says_what_would_happen_and_changes_nothing(house):
    good, bad = await _register(house, 2)
    await house.do(bad, "accept")
    body = {"tickets": [{"number": good}, {"number": bad}, {"number": "HY20200101-00001"}], "verb": "accept"}
    tried = await house.post("/tickets/bulk", body | {"dry_run": True})
    assert [(item["ok"], item["state"]) for item in tried["items"]] == [(True, "accepted"), (False, None), (False, None)]
    assert [item["error"]["status"] for item in tried["items"] if item["error"]] == [409, 404]
    assert (await house.get(f"/tickets/{good}"))["state"] == "registered"
    assert (await house.get(f"/outbox?ticket={good}"))["items"] == []
    done = await house.post("/tickets/bulk", body)
    assert [item["ok"] for item in done["items"]] == [item["ok"] for item in tried["items"]]
    assert (done["done"], done["failed"]) == (1, 2)
    assert (await house.get(f"/tickets/{good}"))["state"] == "accepted"


async def test_what_changed_since_it_was_chosen_is_left_alone(house):
    first, second = await _register(house, 2)
    await house.do(first, "note", text="等一下")
    body = {"tickets": [{"number": first, "version": 1}, {"number": second, "version": 1}], "verb": "accept"}
    done = await house.post("/tickets/bulk", body)
    assert [item["error"] and item["error"]["status"] for item in done["items"]] == [412, None]
    assert (await house.get(f"/tickets/{first}"))["state"] == "registered"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"verb": "approve"}, "verb"),
        ({"verb": "decline"}, "verb"),
        ({"tickets": []}, "tickets"),
        ({"tickets": [{"number": "x"}, {"number": "x"}]}, "tickets"),
        ({"tickets": [{"number": f"HY{n}"} for n in range(51)]}, "tickets"),
        ({"verb": "progress", "body": {}}, "text"),
    ],
    ids=["approve", "decline", "none", "twice", "too many", "empty body"],
)
async def test_what_must_be_read_one_by_one_is_not_done_to_many(house, changed, field):
    (number,) = await _register(house, 1)
    body = {"tickets": [{"number": number}], "verb": "accept"} | changed
    assert (await house.post("/tickets/bulk", body, status=422))["field"] == field
    assert (await house.get(f"/tickets/{number}"))["version"] == 1


async def test_the_same_key_does_it_once(house):
    (number,) = await _register(house, 1)
    body = {"tickets": [{"number": number}], "verb": "note", "body": {"text": "记一下"}}
    for _ in range(2):
        await house.post("/tickets/bulk", body, Idempotency_Key="once")
    assert (await house.get(f"/tickets/{number}"))["version"] == 2
