"""Visits as residents, officers and programs meet them: over the API, on the page, in the console."""

import io
import re
from typing import Any

import pytest
from PIL import Image

from core import clock
from service import sign_in, workers
from tests.service.house import House
from ticketing import staff, visits

WINDOW = {"starts_at": "2026-11-27T09:00:00+08:00", "ends_at": "2026-11-27T11:00:00+08:00", "worker": "engineer"}


def photograph() -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(kept, "JPEG")
    return kept.getvalue()


async def repair(house: House, **fields) -> str:
    number = (await house.register(kind="request", category="repairs-plumbing", title="水管漏水", **fields))["number"]
    await house.do(number, "accept")
    await house.do(number, "assign", department="engineering")
    return number


async def planned(house: House, **fields) -> tuple[str, dict]:
    number = await repair(house, **fields)
    return number, await house.post(f"/tickets/{number}/visits", WINDOW, "engineer", 201)


async def arrived(house: House) -> tuple[str, dict]:
    number, visit = await planned(house)
    return number, await house.post(f"/visits/{visit['id']}/arrive", {}, "engineer")


def page(house: House, visit: dict) -> str:
    return f"/visits/{visits.token(house.db.keys, visit['id'])}"


async def read(house: House, path: str, status: int = 200) -> str:
    response = await house.client.get(path)
    assert response.status == status
    return await response.text()


async def say(house: House, path: str, deed: str, status: int = 200, **form) -> str:
    version = re.search(r'name="version" value="(\d+)"', await read(house, path))
    sent = {"version": version[1]} if version else {}
    response = await house.client.post(f"{path}/{deed}", data=sent | form)
    assert response.status == status, await response.text()
    return await response.text()


async def test_a_visit_is_planned_read_listed_and_shown_with_its_ticket(house):
    number, visit = await planned(house)
    assert visit["status"] == "planned" and visit["worker"] == "engineer" and visit["worker_number"].isalnum()
    assert visit["starts_at"].startswith("2026-11-27T09:00")
    for path in (f"/tickets/{number}/visits", "/visits?on=2026-11-27", "/visits?worker=engineer", f"/visits?ticket={number}"):
        assert [item["id"] for item in (await house.get(path))["items"]] == [visit["id"]], path
    assert (await house.get("/visits?on=2026-11-26"))["items"] == []
    assert (await house.get(f"/tickets/{number}"))["visits"] == [await house.get(f"/visits/{visit['id']}")]


@pytest.mark.parametrize(
    ("changed", "status"),
    [pytest.param({"worker": "nobody"}, 422, id="unknown worker"), pytest.param({"worker": "guard"}, 422, id="of another unit"),
     pytest.param({"ends_at": "2026-11-27T08:00:00+08:00"}, 422, id="ends before it begins"),
     pytest.param({"ends_at": "2026-11-29T08:00:00+08:00"}, 422, id="two days long"),
     pytest.param({"starts_at": "2026-11-27"}, 422, id="no moment"), pytest.param({"color": 1}, 422, id="unknown field"),
     pytest.param({}, 409, id="taken")],
)
async def test_what_cannot_be_planned_is_refused(house, changed, status):
    await planned(house)
    number = await repair(house)
    await house.post(f"/tickets/{number}/visits", WINDOW | changed, "engineer", status)
    assert (await house.get(f"/tickets/{number}/visits"))["items"] == []


async def test_who_may_not_see_the_ticket_or_has_no_such_role_does_nothing_with_its_visits(house):
    number, visit = await planned(house)
    assert (await house.call("GET", f"/visits/{visit['id']}", None)).status == 401
    await house.get(f"/visits/{visit['id']}", "guard", 404)
    await house.post(f"/visits/{visit['id']}/arrive", {}, "guard", 404)
    await house.post(f"/visits/{visit['id']}/arrive", {}, "supervisor", 403)
    await house.post(f"/tickets/{number}/visits", WINDOW, "supervisor", 403)
    await house.get("/visits/9999", status=404)
    assert (await house.get("/visits", "guard"))["items"] == []
    await house.post(f"/visits/{visit['id']}/cancel", {"reason": "x"}, status=412, If_Match='"9"')


async def test_the_residents_page_shows_the_number_and_no_name_and_opens_by_its_token_alone(house):
    number, visit = await planned(house)
    shown = await read(house, page(house, visit))
    assert number in shown and f"工号 {visit['worker_number']}" in shown and "11月27日（周五）09:00–11:00" in shown
    assert "engineer" not in shown
    for wrong in (f"/visits/{visit['id']}-{'0' * 32}", f"/visits/{visit['id']}", "/visits/x", "/visits/" + "9" * 500):
        await read(house, wrong, 404)
        assert (await house.client.post(f"{wrong}/wish", data={"text": "x"})).status == 404


async def test_the_progress_page_shows_the_visit_and_its_link(house):
    ticket = await house.register(kind="request", category="repairs-plumbing")
    await house.do(ticket["number"], "accept")
    await house.do(ticket["number"], "assign", department="engineering")
    visit = await house.post(f"/tickets/{ticket['number']}/visits", WINDOW, "engineer", 201)
    response = await house.client.post("/progress", data={"number": ticket["number"], "code": ticket["code"]})
    shown = await response.text()
    assert page(house, visit) in shown and visit["worker_number"] in shown and "engineer" not in shown


async def test_the_resident_says_yes_to_the_price_he_saw_and_to_no_other(house):
    _, visit = await arrived(house)
    path = page(house, visit)
    await house.post(f"/visits/{visit['id']}/offer_price", {"amount": "80", "what_for": "阀门"}, "engineer")
    seen = re.search(r'name="version" value="(\d+)"', await read(house, path))[1]
    await house.post(f"/visits/{visit['id']}/offer_price", {"amount": "800", "what_for": "阀门"}, "engineer")
    late = await house.client.post(f"{path}/price", data={"version": seen, "answer": "yes"})
    assert late.status == 409 and "800.00" in await late.text()
    assert (await house.get(f"/visits/{visit['id']}"))["price"]["agreed"] is None
    await say(house, path, "price", 422)
    assert "您已同意" in await say(house, path, "price", answer="yes")
    found = await house.get(f"/visits/{visit['id']}")
    assert found["price"] == {"amount": "800.00", "what_for": "阀门", "agreed": True,
                              "answered_at": found["price"]["answered_at"]}
    assert found["price_answered_by"] == "resident"


async def test_a_finished_repair_shows_its_photograph_and_asks_whether_it_is_solved(house):
    number, visit = await arrived(house)
    headers = {"Authorization": "Bearer token-of-engineer", "Content-Type": "application/octet-stream"}
    kept = await (await house.client.post("/api/v1/attachments?name=a.jpg", data=photograph(), headers=headers)).json()
    done = {"done": "换了阀门", "attachments": [kept["id"]], "reply": "阀门已换好。"}
    await house.post(f"/visits/{visit['id']}/finish", done | {"attachments": [kept["id"] + 7]}, "engineer", 422)
    found = await house.post(f"/visits/{visit['id']}/finish", done, "engineer")
    assert found["status"] == "finished" and found["photographs"] == [kept["id"]]
    ticket = await house.get(f"/tickets/{number}")
    assert ticket["state"] in ("approved", "replied") and ticket["replies"][0]["text"] == "阀门已换好。"
    path = page(house, visit)
    assert "换了阀门" in await read(house, path)
    picture = await house.client.get(f"{path}/files/{kept['id']}")
    assert picture.status == 200 and picture.headers["Content-Type"] == "image/jpeg"
    assert (await house.client.get(f"{path}/files/{kept['id'] + 1}")).status == 404
    assert "没有修好" in await say(house, path, "solved", answer="no", text="还在滴水")
    again = await house.client.post(f"{path}/solved", data={"version": "9", "answer": "yes"})
    assert again.status == 409
    found = await house.get(f"/visits/{visit['id']}")
    assert (found["solved"], found["comment"]) == (False, "还在滴水")


async def test_the_resident_asks_for_another_time_and_the_officer_sees_it(house):
    _, visit = await planned(house)
    path = page(house, visit)
    await say(house, path, "wish", 422, text="")
    assert "周六上午" in await say(house, path, "wish", text="周六上午")
    assert (await house.get(f"/visits/{visit['id']}"))["wish"] == "周六上午"
    moved = await house.post(
        f"/visits/{visit['id']}/move",
        {"starts_at": "2026-11-28T09:00:00+08:00", "ends_at": "2026-11-28T11:00:00+08:00", "reason": "居民要求"}, "engineer",
    )
    assert moved["wish"] is None and moved["moves"][0]["reason"] == "居民要求" and moved["version"] == 3


async def test_a_confidential_residents_words_stay_hidden_from_the_officer(house):
    _, visit = await planned(house, confidential=True)
    await say(house, page(house, visit), "wish", text="请打 13800550188")
    assert "13800550188" not in (await house.get(f"/visits/{visit['id']}", "engineer"))["wish"]
    assert "13800550188" in (await house.get(f"/visits/{visit['id']}", "clerk"))["wish"]


async def test_the_reminder_of_the_day_before_comes_by_itself(house):
    await house.open_conversation("guest-1")
    number, _ = await planned(house, resident={"address": "webchat:guest-1"})
    house.move_clock("2026-11-26T10:05:00+08:00")
    await workers.tidy(house.runtime)
    await workers.tidy(house.runtime)
    rows = [row for row in (await house.get(f"/outbox?ticket={number}"))["items"] if row["origin"] == "notice"]
    assert len(rows) == 1 and "【提醒】" in rows[0]["text"]


async def sign_in_as(house: House, name: str) -> dict[str, str]:
    async with house.db.writing() as session:
        await staff.add(session, name, ["officer"], "engineering", "password-of-ma", clock.now())
        return {sign_in.COOKIE: await sign_in.open_session(session, name, clock.now())}


async def test_the_console_plans_a_visit_brings_it_to_its_end_and_lists_the_day(house):
    number, cookies = await repair(house), await sign_in_as(house, "马师傅")
    ticket = f"/staff/tickets/{number}"

    async def send(path: str, **form: Any) -> str:
        shown = await (await house.client.get(ticket, cookies=cookies)).text()
        form["form_token"] = re.search(r'name="form_token" value="([^"]+)"', shown)[1]
        response = await house.client.post(path, data=form, cookies=cookies)
        return await response.text()

    assert "elsewhere" not in await send(f"{ticket}/visits", day="2026-11-27", **{"from": "09:00"}, to="11:00", worker="马师傅")
    assert "elsewhere" in await send(f"{ticket}/visits", day="2026-11-27", **{"from": "10:00"}, to="12:00", worker="马师傅")
    assert "starts_at" in await send(f"{ticket}/visits", day="", **{"from": "10:00"}, to="12:00", worker="马师傅")
    (visit,) = (await house.get(f"/tickets/{number}"))["visits"]
    deed = f"{ticket}/visits/{visit['id']}"
    for name, form in (
        ("move", {"day": "2026-11-27", "from": "13:00", "to": "15:00"}), ("set_out", {}), ("arrive", {}),
        ("offer_price", {"amount": "60", "what_for": "阀门"}), ("answer_price", {"agreed": "true", "how": "当面同意"}),
        ("finish", {"done": "换了阀门", "file": io.BytesIO(photograph()), "reply": "已换好"}), ("say_solved", {"solved": "true"}),
    ):
        shown = await send(f"{deed}/{name}", **form)
        assert 'role="alert"' not in shown, (name, re.search(r'role="alert">([^<]*)', shown))
    found = (await house.get(f"/tickets/{number}"))["visits"][0]
    assert (found["status"], found["solved"], found["price"]["amount"]) == ("finished", True, "60.00")
    shown = await house.client.get(f"/staff/attachments/{found['photographs'][0]}", cookies=cookies)
    assert shown.headers["Content-Type"] == "image/jpeg"
    day = await (await house.client.get("/staff/visits?on=2026-11-27", cookies=cookies)).text()
    assert number in day and "马师傅" in day and "已完工" in day
    assert (await house.client.get("/staff/visits?on=nonsense", cookies=cookies)).status == 200
