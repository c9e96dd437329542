"""The desk: a letter or a walk-in in one form, its paper kept, a receipt to take along, the answer as a task."""

import io
import re
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image

from core import clock
from service import ocr
from service.sign_in import open_session
from tests.service.house import House
from ticketing import staff


async def sign_in(house: House, *roles: str) -> tuple[dict[str, str], str]:
    """A member of staff at the console: his cookie and the token of his forms."""
    async with house.db.writing() as session:
        await staff.add(session, "周小姐", list(roles), None, None, clock.now())
        token = await open_session(session, "周小姐", clock.now())
    cookies = {"huiyin_session": token}
    page = await (await house.client.get("/staff/desk", cookies=cookies)).text()
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return cookies, found[1]


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (30, 30), "white").save(written, "PNG")
    return written.getvalue()


def letter(form_token: str, *files: tuple[str, bytes], **fields: str) -> FormData:
    form = FormData()
    values = {"form_token": form_token, "name": "林小雨", "phone": "", "description": "楼上漏水，请派人来修。",
              "place": "5号楼1202", "kind": "request", "category": "repairs-plumbing", "reply_by": "letter"}
    for name, value in (values | fields).items():
        form.add_field(name, value)
    for name, content in files:
        form.add_field("file", content, filename=name, content_type="application/octet-stream")
    return form


async def test_a_letter_is_registered_with_its_scan_and_a_receipt(house: House):
    cookies, token = await sign_in(house, "clerk")
    form = letter(token, ("信.png", picture()), ("背面.png", picture()))
    response = await house.client.post("/staff/desk", data=form, cookies=cookies)
    page = await response.text()
    assert response.status == 200 and "登记回执" in page and "data:image/svg" in page
    (ticket,) = (await house.get("/tickets"))["items"]
    assert ticket["channel"] == "desk" and ticket["reply_by"] == "letter" and ticket["number"] in page
    code = re.search(r"查询码</dt><dd>(\w+)<", page)
    link = re.search(r"(/progress)", page)
    assert code and link
    progress = await house.client.get(f"/progress?number={ticket['number']}")
    assert f'value="{ticket["number"]}"' in await progress.text()  # the code opens the form, not the ticket
    found = await house.client.post("/progress", data={"number": ticket["number"], "code": code[1]})
    assert "楼上漏水" in await found.text()
    assert [(await house.call("GET", f"/attachments/{number}")).status for number in (1, 2, 3)] == [200, 200, 404]


async def test_the_answer_of_who_wants_a_letter_is_a_task_whatever_else_is_known(house: House):
    cookies, token = await sign_in(house, "clerk")
    await house.client.post("/staff/desk", data=letter(token, phone="13800550123"), cookies=cookies)
    number = (await house.get("/tickets"))["items"][0]["number"]
    await house.work(number, "engineering", until="submit")

    async def opened() -> Any:
        return (await house.get("/call-backs?status=open"))["items"]

    (task,) = await house.until(opened)
    assert task["way"] == "letter"
    await house.post(f"/call-backs/{task['id']}/done", {"reached": True, "note": "挂号信", "outcome": "posted"})
    assert (await house.get(f"/tickets/{number}"))["state"] == "replied"


@pytest.mark.parametrize(
    ("fields", "files"),
    [
        pytest.param({"description": ""}, [], id="nothing said"),
        pytest.param({"kind": "party"}, [], id="an unknown kind"),
        pytest.param({"category": "nowhere"}, [], id="an unknown category"),
        pytest.param({"reply_by": "pigeon"}, [], id="an unknown way"),
        pytest.param({}, [("a.exe", b"MZ" + bytes(99))], id="a program"),
    ],
)
async def test_what_is_wrong_registers_nothing_and_says_why(
    house: House, fields: dict[str, str], files: list[tuple[str, bytes]]
):
    cookies, token = await sign_in(house, "clerk")
    form = letter(token, *files, **fields)
    response = await house.client.post("/staff/desk", data=form, cookies=cookies)
    page = await response.text()
    assert response.status == 422 and 'role="alert"' in page
    assert "5号楼1202" in page and fields.get("description", "楼上漏水，请派人来修。") in page  # typed once is enough
    assert (await house.get("/tickets"))["items"] == []


async def test_who_only_reads_registers_nothing(house: House):
    cookies, token = await sign_in(house, "auditor")
    await house.client.post("/staff/desk", data=letter(token), cookies=cookies)
    assert (await house.get("/tickets"))["items"] == []
    response = await house.client.post("/staff/desk", data=letter("made up"), cookies=cookies)
    assert response.status == 403


async def test_a_photographed_letter_is_read_into_a_draft(house: House, monkeypatch: pytest.MonkeyPatch):
    cookies, token = await sign_in(house, "clerk")

    async def send() -> tuple[int, dict[str, str]]:
        response = await house.client.post(
            "/staff/desk/read", data=letter(token, ("信.png", picture())), cookies=cookies
        )
        return response.status, await response.json()

    monkeypatch.setattr(ocr, "is_installed", lambda: False)
    assert (await send())[0] == 501

    class Engine:
        """Two lines, the lower one first, as an engine may give them."""

        def __call__(self, content: bytes) -> tuple[list[Any], float]:
            assert content == picture()
            return [([[0, 50], [9, 50]], "请派人来修", 0.9), ([[0, 10], [9, 12]], "楼上漏水", 0.9)], 0.1

    monkeypatch.setattr(ocr, "is_installed", lambda: True)
    monkeypatch.setattr(ocr, "_engine", Engine)
    assert await send() == (200, {"text": "楼上漏水\n请派人来修", "detail": ""})
    monkeypatch.setattr(ocr, "_engine", lambda: 1 / 0)
    assert (await send())[0] == 422
    assert (await house.get("/tickets"))["items"] == []


@pytest.mark.skipif(not ocr.is_installed(), reason="the extra ocr is not installed")
async def test_the_engine_reads_nothing_on_a_blank_page():
    assert await ocr.read_text(picture()) == ""
