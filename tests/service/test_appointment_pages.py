"""Residents' and staff's pages for appointments, as a browser without JavaScript sees them."""

import json
import re
from datetime import timedelta

from typer.testing import CliRunner

from core import clock
from service import cli, sign_in
from tests.fakes.sms import FakeSmsGateway
from tests.service.house import WORKDAY, open_house
from tests.service.test_api_appointments import SERVICE, open_slot
from ticketing import staff

PERSON = {"service": SERVICE, "name": "林小雨", "phone": "138 0055 0123"}


async def page(house, path, status=200, **form):
    method = house.client.post if form else house.client.get
    response = await (method(path, data=form) if form else method(path))
    text = await response.text()
    assert response.status == status, text
    return str(response.url), text


async def test_a_resident_books_sees_what_to_bring_moves_and_cancels(guided):
    first, second = await open_slot(guided, counter="客服窗口"), await open_slot(guided, "14:00")
    _, text = await page(guided, "/appointments")
    assert SERVICE in text and "余 2" in text and "11月26日 09:00" in text
    _, text = await page(guided, f"/appointments?service={SERVICE}")
    assert f'value="{first["id"]}"' in text and "要带的材料" in text and "客服窗口" in text and "<script" not in text
    url, text = await page(guided, "/appointments/book", **PERSON, slot=str(first["id"]))
    path = "/appointments/" + url.rpartition("/")[2]
    number = re.search(r"YY\d{8}-\d{5}", text)[0]
    assert "已预约" in text and "11月26日（周四）09:00–09:30" in text and "要带的材料" in text
    _, text = await page(guided, f"{path}/move", slot=str(second["id"]))
    assert "14:00–14:30" in text
    found, _ = await page(guided, "/appointments/find", number=number.lower(), code="0123")
    assert found.endswith(path)
    _, text = await page(guided, f"{path}/cancel", sure="1")
    assert "已取消" in text and "改期" not in text
    assert [item["free"] for item in (await guided.get("/slots"))["items"]] == [1, 1]
    _, text = await page(guided, f"{path}/cancel", 409, sure="1")
    assert "已经取消" in text


async def test_a_page_says_why_a_booking_cannot_be_and_keeps_what_was_typed(house):
    slot = await open_slot(house)
    other = await open_slot(house, "14:00", capacity=3)
    await page(house, "/appointments/book", **PERSON, slot=str(slot["id"]))
    _, text = await page(house, "/appointments/book", 409, **PERSON | {"name": "周大伟", "phone": "13900660456"},
                         slot=str(slot["id"]))
    assert "约满" in text and 'value="周大伟"' in text
    await page(house, "/appointments/book", **PERSON, slot=str(other["id"]))
    _, text = await page(house, "/appointments/book", 409, **PERSON, slot=str(other["id"]))
    assert "已经预约了这个时段" in text
    for wrong in ({"name": ""}, {"phone": "12"}, {"phone": "not a number"}, {"name": "林" * 101}):
        _, text = await page(house, "/appointments/book", 422, **PERSON | wrong, slot=str(other["id"]))
        assert "姓名和能打通的电话" in text
    for slot_id in ("", "x", "999", "9" * 30):
        _, text = await page(house, "/appointments/book", 422, **PERSON, slot=slot_id)
        assert "请选一个时段" in text
    assert len((await house.get("/appointments"))["items"]) == 2


async def test_the_same_name_and_telephone_is_the_same_person(house):
    made = [await open_slot(house, hour, capacity=2) for hour in ("09:00", "10:00", "11:00", "14:00")]
    for slot in made[:3]:
        await page(house, "/appointments/book", **PERSON, slot=str(slot["id"]))
    people = {item["resident"] for item in (await house.get("/appointments"))["items"]}
    assert len(people) == 1
    _, text = await page(house, "/appointments/book", 409, **PERSON, slot=str(made[3]["id"]))
    assert "您已有 3 个预约" in text
    _, text = await page(house, "/appointments/book", 409, **PERSON | {"name": "林大雨"}, slot=str(made[3]["id"]))
    assert "您已有 3 个预约" in text, "another name with the same telephone is no way round the limit"


async def test_a_booking_for_a_ticket_is_linked_when_the_telephone_fits(house):
    slot = await open_slot(house, capacity=3)
    ticket = await house.register()
    form = PERSON | {"slot": str(slot["id"])}
    for wrong in ({"ticket": "HY20261125-99999"}, {"ticket": ticket["number"], "phone": "13900660456"}):
        _, text = await page(house, "/appointments/book", 422, **form | wrong)
        assert "工单号与登记电话对不上" in text
    await page(house, "/appointments/book", **form, ticket=ticket["number"].lower())
    [made] = (await house.get("/appointments"))["items"]
    assert (made["ticket"], made["resident"]) == (ticket["number"], ticket["resident"]["id"])


async def test_a_made_up_name_of_a_page_and_a_wrong_pair_open_nothing(house):
    slot = await open_slot(house)
    _, text = await page(house, "/appointments/book", **PERSON, slot=str(slot["id"]))
    number = re.search(r"YY\d{8}-\d{5}", text)[0]
    for token in ("1", "1-made-up", "9" * 500, "x-y", "-", "%00"):
        await page(house, f"/appointments/{token}", 404)
        await page(house, f"/appointments/{token}/cancel", 404, sure="1")
    answers = set()
    for wrong, code in ((number, "9999"), (number, ""), (number, "00550123"), ("YY20261125-99999", "0123"),
                        ("YY20261124-00001", "0123"), ("HY1", "0123")):
        _, text = await page(house, "/appointments/find", 404, number=wrong, code=code)
        answers.add(text.replace(wrong, ""))
    assert len(answers) == 1


async def test_pairs_can_be_tried_only_so_often(house):
    for _ in range(20):
        await page(house, "/appointments/find", 404, number="YY20261125-00001", code="1234")
    await page(house, "/appointments/find", 429, number="YY20261125-00001", code="1234")


async def test_who_books_with_a_telephone_is_told_by_sms(tmp_path, empty_database):
    gateway = FakeSmsGateway("token-of-the-gateway")
    await gateway.start()
    sms = {"kind": "http", "url": gateway.url, "token": gateway.token}
    house, close = await open_house(tmp_path, empty_database, sms=sms)
    house.move_clock(WORKDAY)
    try:
        slot = await open_slot(house)
        _, text = await page(house, "/appointments/book", **PERSON, slot=str(slot["id"]))

        async def sent():
            return list(gateway.sent.values())

        message, = await house.until(sent)
        assert message["to"] == "+8613800550123"
        assert re.search(r"YY\d{8}-\d{5}", text)[0] in message["text"] and "11月26日（周四）09:00" in message["text"]
    finally:
        await close()
        await gateway.close()


async def sign_in_as(house, *roles):
    async with house.db.writing() as session:
        await staff.add(session, "cai", list(roles), None, None, clock.now())
        token = await sign_in.make_link(session, "cai", clock.now())
    response = await house.client.post("/staff/enter", data={"token": token})
    assert response.status == 200


async def test_the_days_list_is_printable_and_checks_people_in(guided):
    slot = await open_slot(guided, counter="客服窗口", capacity=3)
    person = {"name": "周大伟", "phone": "13900660456"}
    made = await guided.post("/appointments", {"slot": slot["id"], "resident": person}, status=201)
    gone = await guided.post("/appointments", {"slot": slot["id"], "resident": person}, status=201)
    await guided.post(f"/appointments/{gone['id']}/cancel")
    await sign_in_as(guided, "clerk")
    _, text = await page(guided, "/staff/appointments?on=2026-11-26")
    assert "1 人，余 2" in text and made["number"] in text and "周大伟" in text and f"☐ {made['bring'][0]}" in text
    assert gone["number"] not in text
    token = re.search(r'name="form_token" value="([^"]+)"', text)[1]
    await page(guided, f"/staff/appointments/{made['id']}/check_in", 403, form_token="wrong")
    _, text = await page(guided, f"/staff/appointments/{made['id']}/check_in", form_token=token)
    assert "已到场" in text and "<button>到场" not in text
    _, text = await page(guided, "/staff/appointments?on=yesterday")
    assert "2026-11-25 预约" in text


async def test_who_only_writes_guides_does_not_read_who_comes(house):
    await sign_in_as(house, "editor")
    await page(house, "/staff/appointments", 403)


def test_the_command_makes_the_presets_slots_once(monkeypatch, tmp_path):
    monkeypatch.setenv("HUIYIN__DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def huiyin(*words):
        done = CliRunner().invoke(cli.app, words)
        return done.exit_code, done.stdout, done.exception

    assert huiyin("migrate")[0] == 0
    span = ("slots", "generate", "--from", "2099-11-30", "--to", "2099-12-06", "--json")
    assert "three years ahead" in huiyin(*span)[2].detail
    today = clock.local(clock.now()).date()
    span = ("slots", "generate", "--from", str(today), "--to", str(today + timedelta(days=7)), "--json")
    made = json.loads(huiyin(*span)[1])
    assert {item["service"] for item in made} == {"装修申请与备案", "门禁卡与人脸门禁"}
    assert json.loads(huiyin(*span)[1]) == []
    assert "is a date" in huiyin("slots", "generate", "--from", "soon")[2].detail
    assert "lies after" in huiyin("slots", "generate", "--from", "2026-12-02", "--to", "2026-12-01")[2].detail
