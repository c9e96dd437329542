"""Slots and appointments over the API: staff, and the assistant for the resident of its matter."""

import asyncio

from sqlalchemy import select

from core import clock
from core.conversation import Conversation
from core.queues import Outbox
from service import bookings
from service.texts import say
from ticketing.slots import Slot, find_faults

TOMORROW = "2026-11-26T{}:00+08:00"
SERVICE = "装修申请与备案"


async def open_slot(house, hour="09:00", end=None, capacity=1, service=SERVICE, day=None, who="clerk", **more):
    day = day or TOMORROW
    end = end or f"{hour[:2]}:30"
    body = {"service": service, "starts_at": day.format(hour), "ends_at": day.format(end), "capacity": capacity}
    return await house.post("/slots", body | more, who, 201)


async def resident_of(house, **person):
    """A resident's id, by the ticket that was registered for him."""
    ticket = await house.register(resident={"name": "林小雨", "phone": "13800550123"} | person)
    return ticket["resident"]["id"]


async def told(house, origin="notice"):
    async with house.db.reading() as session:
        return list(await session.scalars(select(Outbox).where(Outbox.origin == origin).order_by(Outbox.id)))


async def test_a_clerk_books_and_a_full_slot_is_409(house):
    slot = await open_slot(house)
    assert (slot["booked"], slot["free"], slot["outside_hours"]) == (0, 1, False)
    resident = await resident_of(house)
    made = await house.post("/appointments", {"slot": slot["id"], "resident": resident}, status=201)
    assert (made["slot"], made["resident"], made["status"]) == (slot["id"], resident, "booked")
    assert made["starts_at"] == "2026-11-26T09:00:00+08:00" and made["number"].startswith("YY20261125-")
    refused = await house.post("/appointments", {"slot": slot["id"], "resident": resident}, status=409)
    assert refused["reason"] == "full" and "free=true" in refused["detail"]
    assert (await house.get("/slots?free=true"))["items"] == []
    assert (await house.get(f"/slots?service={SERVICE}"))["items"][0]["booked"] == 1


async def test_forty_calls_at_once_fill_three_places_and_no_more(house):
    slot = await open_slot(house, capacity=3)
    resident = await resident_of(house)
    body = {"slot": slot["id"], "resident": resident}
    answers = await asyncio.gather(*(house.call("POST", "/appointments", "clerk", body) for _ in range(40)))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [409] * 37
    assert len((await house.get(f"/appointments?slot={slot['id']}"))["items"]) == 3


async def test_an_appointment_is_moved_cancelled_and_checked_in(house):
    first, second = await open_slot(house), await open_slot(house, "14:00")
    resident = await resident_of(house)
    made = await house.post("/appointments", {"slot": first["id"], "resident": resident}, status=201)
    path = f"/appointments/{made['id']}"
    moved = await house.post(f"{path}/move", {"slot": second["id"]}, If_Match='"1"')
    assert (moved["id"], moved["slot"], moved["version"]) == (made["id"], second["id"], 2)
    free = {item["id"]: item["free"] for item in (await house.get("/slots"))["items"]}
    assert free == {first["id"]: 1, second["id"]: 0}
    await house.post(f"{path}/cancel", {}, status=412, If_Match='"1"')
    await house.post(f"{path}/move", {"slot": 99}, status=422)
    await house.post(f"{path}/move", {}, status=422)
    assert (await house.post(f"{path}/cancel"))["status"] == "cancelled"
    for verb in ("cancel", "check_in"):
        assert (await house.post(f"{path}/{verb}", status=409))["reason"] == "not_booked"
    other = await house.post("/appointments", {"slot": first["id"], "resident": resident}, status=201)
    assert (await house.post(f"/appointments/{other['id']}/check_in"))["status"] == "checked_in"
    await house.post(f"/appointments/{other['id']}/cancel", status=409)
    assert (await house.get("/appointments?status=cancelled"))["items"][0]["id"] == made["id"]


async def test_a_person_may_be_given_instead_of_an_id_and_a_ticket_links(house):
    slot = await open_slot(house, capacity=5)
    person = {"name": "周大伟", "phone": "13900660456"}
    made = await house.post("/appointments", {"slot": slot["id"], "resident": person}, status=201)
    assert (made["name"], made["phone"]) == ("周大伟", "13900660456")
    ticket = await house.register()
    body = {"slot": slot["id"], "ticket": ticket["number"]}
    linked = await house.post("/appointments", body, status=201)
    assert (linked["ticket"], linked["resident"]) == (ticket["number"], ticket["resident"]["id"])
    assert (await house.get(f"/appointments?ticket={ticket['number']}"))["items"][0]["id"] == linked["id"]
    stranger = body | {"resident": made["resident"]}
    assert (await house.post("/appointments", stranger, status=422))["field"] == "ticket"


async def test_wrong_slots_and_bookings_are_refused_with_the_field(house):
    good = {"service": SERVICE, "starts_at": TOMORROW.format("09:00"), "ends_at": TOMORROW.format("09:30"),
            "capacity": 1}
    wrong = [
        {"capacity": 0}, {"capacity": "many"}, {"service": " "}, {"starts_at": "tomorrow"},
        {"starts_at": TOMORROW.format("10:00")}, {"starts_at": "2026-11-26T09:00:00"}, {"department": "nowhere"},
        {"ends_at": "2027-01-26T09:30:00+08:00"}, {"colour": "blue"},
        {"starts_at": "2026-11-20T09:00:00+08:00", "ends_at": "2026-11-20T09:30:00+08:00"},
        {"starts_at": "9998-11-20T09:00:00+08:00", "ends_at": "9998-11-20T09:30:00+08:00"},
        {"starts_at": "9999-12-31T23:00:00-10:00", "ends_at": "9999-12-31T23:30:00-10:00"},
    ]
    for change in wrong:
        await house.post("/slots", good | change, status=422)
    for who in ("officer", "supervisor", "auditor", "editor", "assistant"):
        await house.post("/slots", good, who, 403)
    await house.post("/slots", good, "administrator", 201)
    slot = (await open_slot(house))["id"]
    for body in ({}, {"slot": slot}, {"slot": slot, "resident": 999}, {"slot": 999, "resident": 1},
                 {"slot": 10**30, "resident": 1}, {"slot": slot, "resident": "林小雨"}, {"slot": None}):
        await house.post("/appointments", body, status=422)
    await house.post("/appointments", {}, "auditor", 403)
    for path in ("/appointments/999", "/appointments/x", f"/appointments/{10**17}"):
        await house.get(path, status=404)
    for query in ("from=x", "to=2026-13-01", "status=gone", "slot=x", "resident=-1"):
        await house.get(f"/appointments?{query}", status=422)
    await house.get("/slots?free=maybe", status=422)


async def test_slots_are_listed_newest_first_or_by_time_and_by_page(house):
    late, early, other = (await open_slot(house, "14:00"), await open_slot(house, "09:00"),
                          await open_slot(house, "10:00", service="门禁卡"))
    everything = [item["id"] for item in (await house.get("/slots"))["items"]]
    assert everything == [other["id"], early["id"], late["id"]]
    for order, expected in (("", everything), ("&order=soonest", [early["id"], other["id"], late["id"]])):
        found, after = [], ""
        while after is not None:
            answer = await house.get(f"/slots?limit=1{order}{after and '&after=' + after}")
            found += [item["id"] for item in answer["items"]]
            after = answer["next"]
        assert found == expected
    assert [item["id"] for item in (await house.get("/slots?from=2026-11-26&to=2026-11-26"))["items"]] == everything
    assert (await house.get("/slots?from=2026-11-27"))["items"] == []
    at_ten = await house.get("/slots?from=2026-11-26T10:00:00%2B08:00&to=2026-11-26T14:00:00%2B08:00")
    assert [item["id"] for item in at_ten["items"]] == [other["id"]]
    services = (await house.get("/slots/services"))["items"]
    assert [(item["service"], item["free"]) for item in services] == [(SERVICE, 2), ("门禁卡", 1)]


async def test_the_assistant_books_moves_and_cancels_for_its_matters_resident_alone(house):
    first, second = await open_slot(house, capacity=5), await open_slot(house, "14:00", capacity=5)
    _, mine = await house.open_conversation("guest-1")
    _, foreign = await house.open_conversation("guest-2")
    others = await resident_of(house)
    theirs = await house.post("/appointments", {"slot": first["id"], "resident": others}, status=201)

    async def act(path, body=None, status=200, matter=mine):
        return await house.post(path, body, "assistant", status, X_Huiyin_Matter=str(matter))

    await house.post("/appointments", {"slot": first["id"]}, "assistant", 403)
    await act("/appointments", {"slot": first["id"], "resident": others}, 403)
    made = await act("/appointments", {"slot": first["id"]}, 201)
    assert (await act("/appointments", {"slot": first["id"]}, 409))["reason"] == "same_slot"
    far = await open_slot(house, day="2027-02-26T{}:00+08:00")
    assert (await act("/appointments", {"slot": far["id"]}, 409))["reason"] == "horizon"
    free = await house.get("/slots?free=true", "assistant", X_Huiyin_Matter=str(mine))
    assert {item["id"] for item in free["items"]} == {first["id"], second["id"]}
    seen = await house.get("/appointments", "assistant", X_Huiyin_Matter=str(mine))
    assert [item["id"] for item in seen["items"]] == [made["id"]]
    assert (await house.get("/appointments", "assistant"))["items"] == []
    await house.get(f"/appointments/{theirs['id']}", "assistant", 404, X_Huiyin_Matter=str(mine))
    for verb, body in (("move", {"slot": second["id"]}), ("cancel", {}), ("check_in", {})):
        await act(f"/appointments/{theirs['id']}/{verb}", body, 404)
        await act(f"/appointments/{made['id']}/{verb}", body, 404, matter=foreign)
    await act(f"/appointments/{made['id']}/check_in", {}, 403)
    assert (await act(f"/appointments/{made['id']}/move", {"slot": second["id"]}))["slot"] == second["id"]
    assert (await act(f"/appointments/{made['id']}/cancel"))["status"] == "cancelled"
    assert len(await told(house)) == 0, "the assistant says it in the conversation itself"


async def test_a_retry_of_the_assistant_books_once(house):
    slot = await open_slot(house, capacity=5)
    _, matter = await house.open_conversation()
    headers = {"X_Huiyin_Matter": str(matter), "Idempotency_Key": "17-book-1"}
    first = await house.post("/appointments", {"slot": slot["id"]}, "assistant", 201, **headers)
    again = await house.post("/appointments", {"slot": slot["id"]}, "assistant", 201, **headers)
    assert again["id"] == first["id"] and (await house.get("/slots"))["items"][0]["booked"] == 1


async def test_who_a_clerk_books_for_is_told_with_what_to_bring(guided):
    slot = await open_slot(guided, counter="客服窗口")
    await guided.open_conversation()
    resident = (await guided.get("/conversations"))["items"][0]["resident"]
    made = await guided.post("/appointments", {"slot": slot["id"], "resident": resident}, status=201)
    assert made["bring"], "the guide's materials are joined"
    row, = await told(guided)
    assert "11月26日（周四）09:00–09:30，客服窗口" in row.text and made["number"] in row.text
    assert "请带好" in row.text and made["bring"][0] in row.text and made["link"] in row.text
    assert (row.channel, row.resident_id) == ("webchat", resident)


async def test_everybody_in_a_closed_slot_is_told_once(house):
    slot = await open_slot(house, capacity=3)
    for n in range(2):
        talk, _ = await house.open_conversation(f"guest-{n}")
        async with house.db.reading() as session:
            resident = (await session.get_one(Conversation, talk)).resident_id
        await house.post("/appointments", {"slot": slot["id"], "resident": resident}, status=201)
    await house.post(f"/slots/{slot['id']}/close", {"reason": "停电检修"}, "officer", 403)
    await house.post(f"/slots/{slot['id']}/close", {}, status=422)
    await house.post("/slots/999/close", {"reason": "停电检修"}, status=404)
    closed = await house.post(f"/slots/{slot['id']}/close", {"reason": "停电检修"})
    assert (closed["booked"], closed["free"], closed["closed_reason"]) == (0, 0, "停电检修")
    await house.post(f"/slots/{slot['id']}/close", {"reason": "停电检修"}, status=409)
    words = [row.text for row in await told(house)]
    assert sum("停电检修" in text for text in words) == 2 and len(words) == 4


async def test_missing_papers_are_told_before_the_visit(house):
    slot = await open_slot(house)
    await house.open_conversation()
    resident = (await house.get("/conversations"))["items"][0]["resident"]
    made = await house.post("/appointments", {"slot": slot["id"], "resident": resident}, status=201)
    path = f"/appointments/{made['id']}/materials"
    items = [{"name": "房产证", "state": "complete"}, {"name": "施工图", "state": "missing"},
             {"name": "身份证", "state": "unfit", "note": "已过期"}]
    for wrong in ({}, {"items": []}, {"items": [{"name": "房产证", "state": "lost"}]}):
        await house.post(path, wrong, status=422)
    answer = await house.post(path, {"items": items}, "officer")
    assert answer["materials"] == items and answer["version"] == 2
    text = (await told(house))[-1].text
    assert "施工图（缺）；身份证（不合格：已过期）" in text and "房产证" not in text


async def test_the_person_behind_a_confidential_ticket_is_not_shown_to_an_officer(house):
    slot = await open_slot(house, capacity=3)
    hidden = await house.register(confidential=True)
    report = await house.register("inspector", kind="report", category=None)
    for ticket, who in ((hidden, "clerk"), (report, "inspector")):
        await house.post("/appointments", {"slot": slot["id"], "ticket": ticket["number"]}, who, 201)
    await house.post("/appointments", {"slot": slot["id"], "ticket": report["number"]}, "clerk", 422)
    for who in ("officer", "clerk"):
        rows = (await house.get("/appointments", who))["items"]
        assert rows[0]["ticket"] is None and rows[0]["name"] is None, "a report is nobody's business"
        assert (rows[1]["name"] is None) == (who == "officer")


async def test_a_resident_is_reminded_through_the_outbox_once(house):
    slot = await open_slot(house, day="2026-11-27T{}:00+08:00")
    await house.open_conversation()
    resident = (await house.get("/conversations"))["items"][0]["resident"]
    made = await house.post("/appointments", {"slot": slot["id"], "resident": resident}, status=201)
    house.move_clock("2026-11-26T10:05:00+08:00")
    for _ in range(3):
        await bookings.run_calendar(house.runtime, clock.now())
    words = [row.text for row in await told(house)]
    expected = say("appointment_reminder", when="11月27日（周五）09:00–09:30", service=SERVICE, counter="",
                   number=made["number"], bring="", link=made["link"])
    assert words[1:] == [expected]
    assert (await house.get(f"/appointments/{made['id']}"))["reminded_at"] is not None


async def test_a_slot_grows_and_shrinks_but_not_below_what_is_booked(house):
    slot = await open_slot(house)
    resident = await resident_of(house)
    body = {"slot": slot["id"], "resident": resident}
    path = f"/slots/{slot['id']}/resize"
    await house.post("/appointments", body, status=201)
    await house.post("/appointments", body, status=409)
    assert (await house.post(path, {"capacity": 2}))["free"] == 1
    await house.post("/appointments", body, status=201)
    assert "2 booked" in (await house.post(path, {"capacity": 1}, status=409))["detail"]
    await house.post(path, {"capacity": 0}, status=422)
    await house.post(path, {"capacity": 5}, "officer", 403)
    await house.post("/slots/999/resize", {"capacity": 5}, status=404)
    async with house.db.reading() as session:
        assert await find_faults(session) == []
    async with house.db.writing() as session:
        (await session.get_one(Slot, slot["id"])).booked = 1
        await session.flush()
        assert await find_faults(session) == [f"slot {slot['id']} counts 1 booked and has 2"]
