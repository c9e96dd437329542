"""Telephone calls through the whole service: files, versions, recordings, and the calls a person makes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from service import cli
from service.assistant import MOMENT_MARK
from tests.service.house import PHONE_TOKEN, WORKDAY, House, open_house
from tests.service.reading import read
from tests.service.test_desk import sign_in


@pytest.fixture
async def understood(tmp_path: Path, empty_database: Path) -> AsyncIterator[House]:
    """An office with a telephone, and an assistant that reads what has a form."""
    opened, close = await open_house(tmp_path, empty_database, phone={"token": PHONE_TOKEN})
    opened.move_clock(WORKDAY)
    opened.rasa.read = lambda said: read(said.partition(MOMENT_MARK)[0], datetime.fromisoformat(WORKDAY))
    yield opened
    await close()


def call(*words: str, **more: Any) -> dict[str, Any]:
    turns = [{"speaker": "caller" if number % 2 else "agent", "start_s": number, "end_s": number + 1, "text": said}
             for number, said in enumerate(words)]
    return {"call_id": "c-1", "caller": "13800550123", "started_at": "2026-11-25T09:30:00+08:00", "turns": turns} | more


async def bring(house: House, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {PHONE_TOKEN}"}
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


async def test_each_element_stands_beside_the_words_it_came_from(understood: House):
    await bring(understood, call("您好", "春晖苑三栋二单元的灯不亮了", "贵姓，电话多少", "姓梁，幺三八零零五五幺幺零幺", caller=""))
    ticket = await ticket_of(understood)
    found = {item["name"]: item for item in ticket["elements"]}
    assert found["phone"]["value"] == "13800551101" and found["phone"]["evidence"]["turn"] == 3
    assert found["person"]["value"] == "梁" and ticket["resident"]["name"] == "梁"
    assert found["place"]["value"] == ticket["place"] == "春晖苑3栋2单元" and found["place"]["evidence"]["turn"] == 1
    assert "不亮" in found["matter"]["value"] and ticket["missing"] == ["time"]
    assert ticket["state"] == "registered" and ticket["answered_on_call"] is None
    assert all(0 < item["confidence"] <= 1 for item in found.values())


async def test_no_spoken_number_is_kept_or_leaves_in_clear(understood: House):
    words = ("您好", "灯坏了", "电话", "幺三八零零", "嗯", "五五幺幺零幺", "幺三八零零五五幺幺零幺对吗", "对")
    await bring(understood, call(*words, caller=""))
    ticket = await ticket_of(understood)
    assert ticket["resident"]["phone"] == "13800551101"
    async with understood.db.reading() as session:
        kept = (await session.execute(text("select description, elements, answered_on_call from ticket"))).one()
        said = (await session.scalars(text("select text from message"))).all()
    asked = [request["text"] for request in understood.rasa.asked]
    for stored in (*map(str, kept), *said, *asked):
        assert "五五幺幺" not in stored and "13800551101" not in stored and "幺三八" not in stored


async def test_two_matters_of_one_call_are_two_tickets_of_it(understood: House):
    await bring(understood, call("您好", "4栋的电梯坏了", "已经联系维保，明天来修", "还有一件事，北门的垃圾没人收"))

    async def both() -> Any:
        items = (await understood.get("/tickets?call_id=c-1"))["items"]
        return items if len(items) == 2 else None

    second, first = await understood.until(both)
    assert "电梯" in first["title"] and "垃圾" in second["title"]
    assert first["answered_on_call"]["turn"] == 2 and second["answered_on_call"] is None
    assert first["state"] == second["state"] == "registered"


async def test_who_speaks_for_another_says_so_on_the_ticket(understood: House):
    await bring(understood, call("您好", "我替我妈反映，五栋的电梯坏了"))
    assert (await ticket_of(understood))["resident"]["on_behalf_of"] == {"relation": "妈"}


async def test_for_whom_he_spoke_stands_on_the_ticket_it_was_said_for_and_on_no_other_of_his(understood: House):
    await bring(understood, call("您好", "1号楼的路灯坏了", call_id="c-0", started_at="2026-11-25T09:10:00+08:00"))
    await bring(understood, call("您好", "我替我妈反映，五栋的电梯坏了"))
    await ticket_of(understood)
    await bring(understood, call("您好", "我替我爸反映，6栋的大门坏了", call_id="c-2", started_at="2026-11-25T09:50:00+08:00"))
    own, mother, father = [(await ticket_of(understood, name))["resident"] for name in ("c-0", "c-1", "c-2")]
    assert own["id"] == mother["id"] == father["id"] and "on_behalf_of" not in own
    assert (mother["on_behalf_of"], father["on_behalf_of"]) == ({"relation": "妈"}, {"relation": "爸"})


async def test_danger_said_in_a_call_is_an_emergency(understood: House):
    await bring(understood, call("您好", "我被困在电梯里了，四号楼的"))
    assert (await ticket_of(understood))["urgency"] == "emergency"


async def test_danger_is_heard_while_the_assistant_is_away(exchange: House):
    await bring(exchange, call("您好", "快来人，我家厨房着火了"))
    assert (await ticket_of(exchange))["urgency"] == "emergency"


async def test_a_call_that_says_nothing_is_a_ticket_with_all_missing(understood: House):
    await bring(understood, call("您好", "喂", caller=""))
    ticket = await ticket_of(understood)
    assert ticket["elements"] == [] and ticket["missing"] == ["person", "phone", "place", "time", "matter"]


async def test_what_cannot_be_understood_is_a_ticket_all_the_same(understood: House):
    understood.rasa.read = lambda _text: {"entities": [{"entity": "time", "from": "never"}], "intent": {}}
    await bring(understood, call("您好", "路灯坏了"))
    ticket = await ticket_of(understood)
    assert ticket["elements"] == [] and len(ticket["missing"]) == 5 and "路灯坏了" in ticket["description"]


async def test_what_the_clerk_corrects_is_certain(understood: House):
    await bring(understood, call("您好", "5栋的灯坏了", "您贵姓", "姓黄", caller=""))
    number = (await ticket_of(understood))["number"]
    given = [{"name": "place", "value": "6栋"}, {"name": "person", "value": "王"}, {"name": "phone", "value": "13800551102"},
             {"name": "matter", "value": "楼道灯坏了"}]
    ticket = await understood.do(number, "confirm", elements=given)
    found = {item["name"]: item for item in ticket["elements"]}
    assert ticket["place"] == found["place"]["value"] == "6栋" and found["place"]["confidence"] == 1
    assert found["place"]["evidence"]["turn"] == 1 and ticket["missing"] == ["time"]
    assert ticket["resident"]["name"] == "王" and ticket["resident"]["phone"] == "13800551102"
    assert ticket["title"] == "楼道灯坏了"


async def test_the_console_shows_each_element_beside_its_words_and_takes_a_correction(understood: House):
    await bring(understood, call("您好", "5栋的灯坏了", "您贵姓", "免贵姓黄", caller=""))
    number = (await ticket_of(understood))["number"]
    cookies, form_token = await sign_in(understood, "clerk")
    path = f"/staff/tickets/{number}"
    page = await (await understood.client.get(path, cookies=cookies)).text()
    assert "第 4 句：“免贵姓黄”" in page and 'name="element-place" value="5栋"' in page and "缺" in page
    first_form = page[page.index('<details class="verb"'):]
    assert first_form.index("element-place") < first_form.index("</details>"), "they lie open, before any other verb"
    form = {"form_token": form_token, "element-place": "6栋", "was-place": "5栋", "element-person": "黄", "was-person": "黄"}
    answer = await understood.client.post(f"{path}/confirm", data=form, cookies=cookies, allow_redirects=False)
    assert answer.status == 303 and "error" not in answer.headers["Location"]
    found = {item["name"]: item for item in (await understood.get(f"/tickets/{number}"))["elements"]}
    assert found["place"]["value"] == "6栋" and found["place"]["confidence"] == 1
    assert found["person"]["value"] == "黄" and found["person"]["confidence"] < 1


async def test_a_hidden_caller_is_hidden_in_the_words_of_his_call_too(understood: House):
    await bring(understood, call("您好", "6栋有人偷电，请给我保密", "您叫什么", "我叫林晓云，13800551103", caller=""))
    ticket = await ticket_of(understood)
    assert ticket["confidential"]
    await understood.do(ticket["number"], "confirm")
    await understood.do(ticket["number"], "accept")
    await understood.do(ticket["number"], "assign", department="security")
    seen = json.dumps(await understood.get(f"/tickets/{ticket['number']}", "guard"), ensure_ascii=False)
    assert "林晓云" not in seen and "13800551103" not in seen


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
