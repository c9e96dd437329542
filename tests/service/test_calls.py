"""Telephone calls through the whole service: files, versions, recordings, and the calls a person makes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service import cli
from tests.service.house import WORKDAY, House, open_house

TOKEN = "token-of-the-phone"


@pytest.fixture
async def exchange(tmp_path: Path, empty_database: Path) -> AsyncIterator[House]:
    """An office with a telephone; its assistant is away, so that each call becomes a clerk's ticket."""
    opened, close = await open_house(tmp_path, empty_database, phone={"token": TOKEN})
    opened.move_clock(WORKDAY)
    opened.rasa.is_away = True
    yield opened
    await close()


def call(*words: str, **more: Any) -> dict[str, Any]:
    turns = [{"speaker": "caller" if number % 2 else "agent", "start_s": number, "end_s": number + 1, "text": text}
             for number, text in enumerate(words)]
    return {"call_id": "c-1", "caller": "13800550123", "started_at": "2026-11-25T09:30:00+08:00", "turns": turns} | more


async def bring(house: House, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    response = await house.client.post("/channels/phone/calls", json=body, headers=headers)
    return await response.json()


async def ticket_of(house: House, call_id: str = "c-1") -> dict[str, Any]:
    async def registered() -> Any:
        items = (await house.get(f"/tickets?call_id={call_id}"))["items"]
        assert len(items) <= 1
        return items and items[0]

    return await house.until(registered)


async def test_a_call_is_a_ticket_with_its_recording_and_what_the_agent_said(exchange: House):
    body = call("您好，物业服务中心", "三号楼电梯坏了", "已通知维保，下午四点前到", recording="https://rec.example/1.mp3")
    assert (await bring(exchange, body))["status"] == "stored"
    ticket = await ticket_of(exchange)
    assert ticket["recording"] == "https://rec.example/1.mp3" and ticket["state"] == "registered"
    assert ticket["answered_on_call"]["turn"] == 2
    assert "三号楼电梯坏了" in ticket["description"]


async def test_two_calls_of_one_caller_are_two_tickets(exchange: House):
    await bring(exchange, call("您好", "路灯坏了"))
    await bring(exchange, call("您好", "停水了", call_id="c-2", started_at="2026-11-25T09:50:00+08:00"))
    first, second = await ticket_of(exchange), await ticket_of(exchange, "c-2")
    assert first["number"] != second["number"]


async def test_a_new_version_of_a_call_is_kept_by_the_same_ticket(exchange: House):
    await bring(exchange, call("您好", "路灯换了"))
    number = (await ticket_of(exchange))["number"]
    assert (await bring(exchange, call("您好", "路灯坏了")))["status"] == "new_version"

    async def has_both() -> Any:
        ticket = await exchange.get(f"/tickets/{number}")
        said = json.dumps(ticket["transitions"], ensure_ascii=False)
        return "路灯换了" in ticket["description"] and "路灯坏了" in said and "第 2 份" in said

    assert await exchange.until(has_both)
    assert len((await exchange.get("/tickets"))["items"]) == 1
    assert (await bring(exchange, call("您好", "路灯坏了")))["status"] == "seen_before"


def run_import(folder: Path, *words: str) -> Any:
    return CliRunner().invoke(cli.app, ["calls", "import", *words], env={"HUIYIN__DATA_DIR": str(folder)})


async def test_the_import_command_says_what_became_of_each_file(tmp_path: Path):
    good, bad = tmp_path / "13800550123_20261125-093000.txt", tmp_path / "bad.json"
    good.write_text("话务员：您好\n市民：路灯坏了\n", "utf-8")
    bad.write_text('{"segments": [5]}')
    result = await asyncio.to_thread(run_import, tmp_path, "--json", str(good), str(bad), str(good))
    rows = json.loads(result.output.splitlines()[0])
    assert [row["status"] for row in rows] == ["stored", "unreadable", "seen_before"]
    assert rows[0]["call_id"] == rows[2]["call_id"] and result.exit_code != 0
    result = await asyncio.to_thread(run_import, tmp_path, str(good), "--format", "txt")
    assert result.exit_code == 0 and "seen_before" in result.output
    result = await asyncio.to_thread(run_import, tmp_path, str(good), "--format", "mp3")
    assert result.exit_code != 0


@pytest.fixture
async def recorder(tmp_path: Path, empty_database: Path) -> AsyncIterator[House]:
    """An office whose recorder leaves files in a folder, and whose telephone has no token."""
    opened, close = await open_house(tmp_path, empty_database, phone={"watch_dir": tmp_path / "recorder"})
    opened.move_clock(WORKDAY)
    opened.rasa.is_away = True
    yield opened
    await close()


async def test_a_file_in_the_watched_folder_becomes_a_ticket(recorder: House, tmp_path: Path):
    house, folder = recorder, tmp_path / "recorder"
    folder.mkdir(exist_ok=True)
    (folder / "13800550123_20261125-093000.txt").write_text("话务员：您好\n市民：路灯坏了\n", "utf-8")

    async def registered() -> Any:
        return (await house.get("/tickets"))["items"]

    (ticket,) = await house.until(registered)
    assert ticket["channel"] == "phone" and ticket["resident"]["phone"]
    assert list((folder / "done").iterdir())
    response = await house.client.post("/channels/phone/calls", json=call("a", "b"))
    assert response.status == 401  # without a token the address stays closed


async def open_callback(house: House) -> dict[str, Any]:
    number = (await house.register())["number"]
    await house.work(number)

    async def opened() -> Any:
        return (await house.get("/call-backs?status=open"))["items"]

    return (await house.until(opened))[0]


async def test_each_try_of_a_call_is_kept_with_its_outcome_and_who_made_it(house: House):
    callback = await open_callback(house)
    path = f"/call-backs/{callback['id']}/done"
    for who, outcome in (("clerk", "no_answer"), ("clerk2", "wrong_number")):
        body = {"reached": False, "note": "没有人接", "outcome": outcome}
        assert (await house.post(path, body, who))["status"] == "open"
    await house.post(path, {"reached": True, "note": "说了", "outcome": "busy"}, "clerk", 422)
    await house.post(path, {"reached": True, "note": "说了", "outcome": "hung up"}, "clerk", 422)
    done = await house.post(path, {"reached": True, "note": "已告知本人"})
    tries = [(item["by"], item["outcome"], item["reached"]) for item in done["calls"]]
    assert tries == [("clerk", "no_answer", False), ("clerk2", "wrong_number", False), ("clerk", "connected", True)]
    assert (done["status"], done["attempts"], done["done_by"]) == ("done", 3, "clerk")
