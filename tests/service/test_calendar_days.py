"""The calendar from the outside: own days over the API, a notice by the command, in the running service."""

import json

from typer.testing import CliRunner

from service import cli, workers
from tests.ticketing.test_calendar_days import CSV


async def test_an_own_day_moves_what_is_due_in_the_running_service(house):
    await workers.tidy(house.runtime)  # From its first look on the service knows what changes.
    number = (await house.register())["number"]  # On a Wednesday: to be accepted until Thursday's close.
    body = {"date": "2026-11-26", "name": "系统升级"}
    await house.post("/calendar/days", body, "clerk", 403)
    await house.post("/calendar/days", body | {"hours": "9-12"}, "supervisor", 422)
    await house.post("/calendar/days", body | {"department": "nowhere"}, "supervisor", 422)
    made = await house.post("/calendar/days", body, "supervisor", 201)
    await workers.tidy(house.runtime)
    [day] = (await house.get("/calendar?from=2026-11-26"))["items"]
    assert (day["working"], day["source"], day["name"]) == (False, "special", "系统升级")

    async def accept_due():
        items = (await house.get(f"/tickets/{number}/clocks"))["items"]
        return next(item["due_at"] for item in items if item["name"] == "accept")

    assert await accept_due() == "2026-11-27T17:30:00+08:00"
    rows = (await house.get("/audit?action=clock:recount", "auditor"))["items"]
    assert rows[0]["subject"] == f"ticket:{number}"
    assert [item["name"] for item in (await house.get("/calendar/days"))["items"]] == ["系统升级"]
    await house.call("DELETE", f"/calendar/days/{made['id']}", "clerk")
    assert (await house.call("DELETE", f"/calendar/days/{made['id']}", "administrator")).status == 204
    assert (await house.call("DELETE", f"/calendar/days/{made['id']}", "administrator")).status == 404
    await workers.tidy(house.runtime)
    assert await accept_due() == "2026-11-26T17:30:00+08:00"


def test_the_commands_show_and_import(monkeypatch, tmp_path):
    monkeypatch.setenv("HUIYIN__DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def huiyin(*words):
        done = CliRunner().invoke(cli.app, words)
        return done.stdout if done.exit_code == 0 else done.exception

    huiyin("migrate")
    shown = json.loads(huiyin("calendar", "show", "--from", "2027-02-12", "--to", "2027-02-12", "--json"))
    assert shown[0]["working"] and shown[0]["provisional"]
    (tmp_path / "notice.csv").write_text(CSV, "utf-8")
    (tmp_path / "own.txt").write_text("2027-03-08, 半天, 09:00-12:00\n", "utf-8")
    (tmp_path / "wrong.yml").write_text("holidays: []\n", "utf-8")
    (tmp_path / "gbk.csv").write_bytes("节日,开始\n".encode("gbk"))
    assert "2027: 18 days closed, 3 days of rest worked; 0 due times moved" in huiyin("calendar", "import", "notice.csv")
    assert "1 days of the office's own" in huiyin("calendar", "import", "own.txt")
    assert "no holiday" in huiyin("calendar", "import", "wrong.yml").detail
    assert "UTF-8" in huiyin("calendar", "import", "gbk.csv").detail
    assert isinstance(huiyin("calendar", "import", "missing.csv"), OSError)
    lines = huiyin("calendar", "show", "--from", "2027-02-12", "--to", "2027-03-08").splitlines()
    assert "2027-02-12  周五  休  春节" in lines[0] and "09:00–12:00" in lines[-1] and "暂定" not in lines[0]
    assert "is a date" in huiyin("calendar", "show", "--from", "soon").detail
    assert "department" in huiyin("calendar", "show", "--department", "nowhere").detail
    duty = json.loads(huiyin("calendar", "show", "--from", "2027-02-12", "--to", "2027-02-12",
                             "--department", "security", "--json"))
    assert duty[0]["hours"] == [["00:00", "24:00"]]
