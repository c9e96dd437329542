"""Residents' pages and the console, as a browser sees them."""

import re

from core import clock, queues
from core.message import OutboundMessage
from core.queues import Result, Status
from service import delivery_plan, sign_in
from service.words import CLOCKS
from ticketing import staff
from ticketing.model import Reply
from ticketing.preset import load_preset


async def ask(house, number, code):
    response = await house.client.post("/progress", data={"number": number, "code": code})
    return response, await response.text()


async def test_progress_opens_with_the_code_or_the_last_digits_and_nothing_else(house):
    ticket = await house.register()
    other = await house.register(resident={"name": "何田田"})
    number, code = ticket["number"], ticket["code"]
    for key in (code, code.lower(), "0123"):
        response, page = await ask(house, number, key)
        assert response.status == 200 and "已登记" in page, key
    unknown, words = await ask(house, "HY20261123-99999", "0123")
    assert unknown.status == 404
    for wrong in ("9999", "", other["code"]):
        response, page = await ask(house, number, wrong)
        assert response.status == 404
        assert page.replace(number, "") == words.replace("HY20261123-99999", ""), wrong


async def test_progress_can_be_tried_only_so_often(house):
    ticket = await house.register()
    for _ in range(20):
        assert (await ask(house, ticket["number"], "9999"))[0].status == 404
    response, _ = await ask(house, ticket["number"], ticket["code"])
    assert response.status == 429 and int(response.headers["Retry-After"]) > 0


async def test_a_replys_page_shows_it_delivers_what_was_announced_and_says_when_it_was_withdrawn(house):
    number = (await house.register())["number"]
    reply = (await house.work(number))["replies"][0]
    path = f"/r/{delivery_plan.reply_token(house.runtime, reply['id'])}"
    assert (await house.client.get("/r/1-made-up")).status == 404
    assert (await house.client.get("/r/" + "9" * 5000)).status == 404
    async with house.db.writing() as session:
        ticket = (await session.get_one(Reply, reply["id"])).ticket_id
        message = OutboundMessage("wechat", "main", "oX1", reply["text"], "reply")
        row = queues.enqueue(session, message, clock.now(), step="wechat_notice", ticket_id=ticket, reply_id=reply["id"])
        row.status, row.result, row.sent_at = Status.DONE, Result.ANNOUNCED, clock.now()
    response = await house.client.get(path)
    page = await response.text()
    assert response.status == 200 and "多收的停车费已原路退回" in page and number in page
    assert (await house.get(f"/tickets/{number}"))["state"] == "replied"


async def test_a_reply_sent_back_says_so_on_its_page(house):
    number = (await house.register())["number"]
    reply = (await house.work(number))["replies"][0]
    await house.do(number, "send_back", "supervisor", reason="金额不对")
    page = await (await house.client.get(f"/r/{delivery_plan.reply_token(house.runtime, reply['id'])}")).text()
    assert "多收的停车费" not in page and "收回" in page


async def link_for(house, name, *roles):
    async with house.db.writing() as session:
        await staff.add(session, name, roles, None, None, clock.now())
        return await sign_in.make_link(session, name, clock.now())


async def enter(house, token):
    return await house.client.post("/staff/enter", data={"token": token}, allow_redirects=False)


async def test_a_link_signs_in_once(house):
    token = await link_for(house, "cai", "clerk")
    assert (await house.client.get("/staff/enter", params={"token": token})).status == 200
    assert (await enter(house, token)).status == 303
    assert (await enter(house, token)).status == 403
    assert (await enter(house, "made-up")).status == 403


async def test_the_console_is_closed_without_a_session(house):
    for path in ("/staff/", "/staff/conversations", "/staff/callbacks", "/staff/aside"):
        response = await house.client.get(path, allow_redirects=False)
        assert response.status == 303 and response.headers["Location"] == "/staff/sign-in", path


async def test_a_form_needs_the_sessions_own_token(house):
    number = (await house.register())["number"]
    await enter(house, await link_for(house, "cai", "clerk"))
    path = f"/staff/tickets/{number}"
    page = await (await house.client.get(path)).text()
    form_token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
    for wrong in ({}, {"form_token": "made-up"}):
        assert (await house.client.post(f"{path}/accept", data=wrong)).status == 403
    assert (await house.get(f"/tickets/{number}"))["state"] == "registered"
    done = await house.client.post(f"{path}/accept", data={"form_token": form_token, "version": "1"}, allow_redirects=False)
    assert done.status == 303
    assert (await house.get(f"/tickets/{number}"))["state"] == "accepted"


async def test_staff_without_a_role_for_it_get_no_button(house):
    number = (await house.register())["number"]
    await enter(house, await link_for(house, "shen", "auditor"))
    page = await (await house.client.get(f"/staff/tickets/{number}")).text()
    assert number in page and f"/staff/tickets/{number}/" not in page


async def test_the_console_masks_a_confidential_resident_for_an_officer(house):
    number = (await house.register(confidential=True, resident={"name": "欧阳静"}))["number"]
    await house.work(number)
    await enter(house, await link_for(house, "ou", "officer"))
    for path in (f"/staff/tickets/{number}", "/staff/", "/staff/callbacks"):
        page = await (await house.client.get(path)).text()
        assert "欧阳静" not in page, path


async def test_every_clock_has_a_name_that_staff_can_read():
    named = {(preset, rule.name) for preset in ("property", "hall", "hospital") for rule in load_preset(preset).sla}
    assert sorted(rule for _, rule in named if rule not in CLOCKS) == [] and len(named) > 10
