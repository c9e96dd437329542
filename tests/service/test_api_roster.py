"""Roster, absences, handover and the green channel over the API, and who leaves by the command."""

from typer.testing import CliRunner

from service import cli
from tests.service.test_pages import enter, link_for
from ticketing import staff

DUTY = {"name": "engineer", "department": "engineering", "starts_at": "2026-11-25T08:00:00+08:00",
        "ends_at": "2026-11-25T20:00:00+08:00"}
AWAY = {"name": "engineer", "deputy": "officer", "starts_at": "2026-11-25T08:00:00+08:00",
        "ends_at": "2026-11-27T08:00:00+08:00"}


async def test_a_shift_gives_new_work_its_person_until_it_is_taken_back(house):
    number = (await house.register(category="repairs-plumbing"))["number"]
    before = await house.get(f"/tickets/{number}/routing")
    assert before["department"] == "engineering" and before["why"] and before["asked_first"] == "clerk"
    duty = await house.post("/duties", DUTY, "supervisor", 201)
    found = await house.get(f"/tickets/{number}/routing")
    assert found["assignee"] == "engineer" and found["candidates"][0] == {"name": "engineer", "on_duty": True, "load": 0}
    await house.do(number, "accept")
    assert (await house.do(number, "assign", department="engineering"))["assignee"] == "engineer"
    assert (await house.get("/duties"))["items"][0]["id"] == duty["id"]
    assert (await house.call("DELETE", f"/duties/{duty['id']}", "clerk")).status == 403
    assert (await house.call("DELETE", f"/duties/{duty['id']}", "supervisor")).status == 204
    assert (await house.call("DELETE", f"/duties/{duty['id']}", "supervisor")).status == 404
    assert (await house.get("/duties"))["items"] == []


async def test_who_is_away_enters_it_himself_and_is_not_suggested(house):
    number = (await house.register(category="repairs-plumbing"))["number"]
    made = await house.post("/absences", AWAY, "engineer", 201)
    await house.post("/absences", AWAY | {"name": "officer", "deputy": None}, "engineer", 403)
    found = await house.get(f"/tickets/{number}/routing")
    assert "engineer" not in {each["name"] for each in found["candidates"]}
    assert (await house.get("/absences"))["items"][0]["deputy"] == "officer"
    assert (await house.call("DELETE", f"/absences/{made['id']}", "guard")).status == 403
    assert (await house.call("DELETE", f"/absences/{made['id']}", "engineer")).status == 204


async def test_wrong_shifts_and_absences_are_refused_with_the_field(house):
    for change in ({"name": "nobody"}, {"department": "nowhere"}, {"ends_at": DUTY["starts_at"]}, {"starts_at": "now"},
                   {"ends_at": "2027-03-01T08:00:00+08:00"}, {"colour": "blue"}):
        await house.post("/duties", DUTY | change, "supervisor", 422)
    for change in ({"deputy": "nobody"}, {"deputy": "engineer"}, {"name": "nobody"}, {"ends_at": "2026-11-24"}):
        await house.post("/absences", AWAY | change, "supervisor", 422)
    await house.post("/duties", DUTY, "officer", 403)
    await house.post("/absences", AWAY, "auditor", 403)


async def test_who_leaves_signs_in_no_more_and_his_tickets_go_on(house):
    number = (await house.register(category="repairs-plumbing"))["number"]
    await enter(house, await link_for(house, "wu", "officer"))
    assert (await house.client.get("/staff/")).status == 200
    await house.do(number, "accept")
    await house.do(number, "assign", department="engineering", assignee="wu")
    body = {"to": "officer", "reason": "离职", "leaves": True}
    await house.post("/staff/wu/hand_over", body, "clerk", 403)
    await house.post("/staff/wu/hand_over", body, "supervisor", 403)
    await house.post("/staff/wu/hand_over", {"to": "officer"}, "administrator", 422)
    await house.post("/staff/nobody/hand_over", body, "administrator", 422)
    done = await house.post("/staff/wu/hand_over", body, "administrator")
    assert (done["tickets"], done["queued"]) == (1, 0)
    ticket = await house.get(f"/tickets/{number}")
    assert ticket["assignee"] == "officer" and ticket["transitions"][-1]["reason"] == "交接：离职"
    response = await house.client.get("/staff/", allow_redirects=False)
    assert response.headers["Location"] == "/staff/sign-in"
    async with house.db.reading() as session:
        assert not await staff.check_password(session, "wu", "whatever it was")


async def test_the_green_channel_is_published_and_granted_on_record(house):
    listed = (await house.get("/green_channel", "assistant"))["items"]
    assert {"code", "name", "proof", "what", "limit"} <= listed[0].keys()
    page = await (await house.client.get("/green-channel")).text()
    assert listed[0]["name"] in page and "2 个工作日" in page
    number = (await house.register())["number"]
    path = f"/tickets/{number}/green_channel"
    await house.post(path, {"code": listed[0]["code"]}, "officer", 403)
    await house.post(path, {"code": "vip"}, status=422)
    await house.post(path, {"code": listed[0]["code"]}, status=412, If_Match='"9"')
    ticket = await house.post(path, {"code": listed[0]["code"], "proof": "看过身份证"})
    assert ticket["green_channel"]["granted_by"] == "clerk" and ticket["green_channel"]["proof"] == "看过身份证"
    assert ticket["transitions"][-1]["changes"] == {"green_channel": [None, listed[0]["code"]]}
    assert any(item["rule_version"] == "finish-green@1" for item in ticket["clocks"])
    await house.post(path, {"code": listed[0]["code"]}, status=409)
    await house.post("/tickets/HY20261125-99999/green_channel", {"code": "elderly"}, status=404)


HOSTILE = ["\x00", "", 10**30, -1, None, [], {"a": 1}, "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"]
BODIES = {
    ("/slots", "clerk"): {"service": "x", "starts_at": "2026-11-26T09:00:00+08:00",
                          "ends_at": "2026-11-26T09:30:00+08:00", "capacity": 1, "counter": "a"},
    ("/appointments", "clerk"): {"slot": 1, "resident": 1, "ticket": "HY20261125-00001"},
    ("/calendar/days", "supervisor"): {"date": "2026-12-01", "name": "x", "hours": "09:00-10:00"},
    ("/absences", "supervisor"): AWAY,
    ("/staff/engineer/hand_over", "administrator"): {"to": "officer", "reason": "x", "leaves": False},
    ("/tickets/HY20261125-00001/raise", "supervisor"): {"reason": "x", "due_at": "2026-12-01T09:00:00+08:00"},
}


async def test_no_value_however_wrong_is_our_fault(house):
    await house.register()
    for (path, who), body in BODIES.items():
        for field in body:
            for value in HOSTILE:
                response = await house.call("POST", path, who, body | {field: value})
                assert response.status < 500, (path, field, value)
    for path in ("/slots", "/appointments", "/duties", "/reports/pauses"):
        for field in ("from", "to", "after", "slot", "limit"):
            for value in ("%00", "9" * 30, "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-12:00"):
                response = await house.call("GET", f"{path}?{field}={value}", "supervisor")
                assert response.status < 500, (path, field, value)


async def test_pauses_are_reported_to_supervisors(house):
    number = (await house.register())["number"]
    await house.do(number, "ask_supplement", missing=["房号"])
    house.move_clock("2026-11-25T12:00:00+08:00")
    [row] = (await house.get("/reports/pauses?from=2026-11-25&to=2026-11-25", "supervisor"))["items"]
    assert (row["person"], row["pauses"], row["tickets"][0]["number"]) == ("clerk", 1, number)
    assert 7190 < row["total_s"] < 7210
    assert (await house.get("/reports/pauses?from=2026-11-01&to=2026-11-20", "supervisor"))["items"] == []
    await house.get("/reports/pauses?from=2026-11-20&to=2026-11-01", "supervisor", 422)
    await house.get("/reports/pauses", "officer", 403)


def test_the_command_for_who_leaves(monkeypatch, tmp_path):
    monkeypatch.setenv("HUIYIN__DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def huiyin(*words):
        done = CliRunner().invoke(cli.app, words)
        return done.stdout if done.exit_code == 0 else done.exception

    huiyin("migrate")
    huiyin("staff", "add", "wu", "--role", "officer", "--department", "engineering")
    assert "wu: 0 tickets (0 into queues)" in huiyin("staff", "leave", "wu", "--reason", "离职")
    assert "nobody here is called wu" in huiyin("staff", "leave", "wu").detail
