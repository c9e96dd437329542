"""Letters as residents and staff get them: on the page, as a file, with the mail, at the desk."""

import io
import re

import pdfplumber
import pytest

from core import clock
from service import letters as letter_ways
from service import sign_in
from ticketing import staff

APPROVED = "多收的停车费已原路退回。"


def text_of(pdf: bytes) -> str:
    """What stands on the sheets, without line breaks and spaces."""
    with pdfplumber.open(io.BytesIO(pdf)) as opened:
        return re.sub(r"\s", "", "".join(page.extract_text() for page in opened.pages))


async def sheet(house, letter, who="clerk", form="pdf", status=200) -> bytes:
    response = await house.call("GET", f"/letters/{letter['id']}/{form}", who)
    assert response.status == status, await response.text()
    return await response.read()


async def page_of(house, letter):
    path = f"/r/{letter_ways.token(house.runtime, letter['id'])}"
    response = await house.client.get(path)
    return path, response, await response.text()


async def declined(house, **fields):
    number = (await house.register(**fields))["number"]
    return await house.do(number, "decline", code="out_of_area", reason="不在本小区", where_to="请向居委会反映")


async def test_every_verb_that_owes_a_letter_makes_one_with_its_number(house):
    number = (await house.register())["number"]
    await house.do(number, "ask_supplement", missing=["缴费凭证", "车牌号"])
    await house.do(number, "supplement", text="凭证在附件")
    await house.work(number, until="assign")
    await house.do(number, "extend", "supervisor", reason="等银行对账", due_at="2026-12-08T17:30:00+08:00")
    await house.do(number, "submit", "officer", findings="upheld", action_taken="已核对", reply=APPROVED)
    made = (await house.do(number, "approve", "supervisor"))["letters"]
    assert [(item["kind"], item["number"]) for item in made] == [
        ("supplement", "物服补字〔2026〕1号"), ("acceptance", "物服受字〔2026〕1号"),
        ("extension", "物服延字〔2026〕1号"), ("reply", "物服复字〔2026〕1号"),
    ]
    assert (await declined(house))["letters"][0]["number"] == "物服不受字〔2026〕1号"
    assert [item["title"] for item in (await house.get("/letters"))["items"]] == [
        "不予受理告知书", "答复书", "延期告知书", "受理通知书", "补正告知书"]


async def test_a_sheet_says_what_the_verb_said_and_is_signed_by_unit_and_staff_number(house):
    made = await house.work((await house.register())["number"])
    letter = made["letters"][-1]
    assert await sheet(house, letter) == await sheet(house, letter)  # Its copy at the resident's is the same.
    said, plain = text_of(await sheet(house, letter)), (await sheet(house, letter, form="txt")).decode()
    for words in ("林小雨：", made["number"], "经核查，您反映的情况属实。", APPROVED, "2026年11月25日", "客户服务部",
                  "物服复字〔2026〕1号"):
        assert words in said and words in re.sub(r"\s", "", plain), words
    assert re.search(r"经办人工号\d{4}", said)
    assert "officer" not in plain and "supervisor" not in plain


async def test_a_residents_title_is_text_on_the_sheet_whatever_stands_in_it(house):
    title = '<b>粗</b>#set text(red) $x$ *a* {0} "引" \\n'
    number = (await house.register(title=title))["number"]
    letter = (await house.do(number, "accept"))["letters"][0]
    assert re.sub(r"\s", "", title) in text_of(await sheet(house, letter))
    _, response, page = await page_of(house, letter)
    assert response.status == 200 and "<b>粗</b>" not in page and "&lt;b&gt;粗" in page


async def test_characters_that_no_paper_shows_keep_no_letter_from_being_drawn(house):
    odd = "\u202e倒\u202c\u2028行\u00ad软\ufeff\u200b零\u0301\u0e34泰\ue000私\U0001f600笑"
    number = (await house.register(title=odd, resident={"name": f"林{odd}"}))["number"]
    found = text_of(await sheet(house, (await house.do(number, "accept"))["letters"][0]))
    assert all(word in found for word in "倒行软零泰私笑")


async def test_a_very_long_reply_goes_over_several_pages_and_loses_no_word(house):
    number = (await house.register())["number"]
    reply = "\n".join(f"第{line}项，已经处理完毕并请您核对；" * 12 for line in range(60))
    await house.work(number, until="assign")
    await house.do(number, "submit", "officer", findings="upheld", action_taken="x", reply=reply)
    letter = (await house.do(number, "approve", "supervisor"))["letters"][-1]
    pdf = await sheet(house, letter)
    with pdfplumber.open(io.BytesIO(pdf)) as opened:
        count = len(opened.pages)
        assert count > 5 and f"共{count}页" in re.sub(r"\s", "", opened.pages[-1].extract_text())
    found = text_of(pdf)
    assert all(found.count(f"第{line}项，") == 12 for line in (0, 30, 59))


@pytest.mark.parametrize(
    "fields", [pytest.param({"resident": {}}, id="nameless"), pytest.param({"confidential": True}, id="confidential"),
               pytest.param({"anonymous": True, "resident": {"phone": "13800550123"}}, id="anonymous")]
)
async def test_who_has_no_name_or_asked_to_stay_unknown_stands_on_no_sheet(house, fields):
    letter = (await declined(house, **fields))["letters"][0]
    found = text_of(await sheet(house, letter))
    assert "尊敬的业主：" in found and "林小雨" not in found


async def test_an_officer_reads_no_number_of_a_confidential_resident_on_a_sheet_and_a_clerks_reading_is_on_record(house):
    number = (await house.register(confidential=True, title="请打 13800550123 联系我"))["number"]
    letter = (await house.do(number, "accept"))["letters"][0]
    assert "13800550123" not in text_of(await sheet(house, letter, "officer"))
    before = len((await house.get("/audit?limit=200", "auditor"))["items"])
    assert "13800550123" in text_of(await sheet(house, letter, "clerk"))
    newest = (await house.get("/audit?limit=200", "auditor"))["items"]
    assert len(newest) == before + 1 and newest[0]["action"] == "resident:read"


async def test_a_letters_page_opens_by_its_token_alone_and_both_forms_come_from_there(house):
    letter = (await declined(house))["letters"][0]
    path, response, page = await page_of(house, letter)
    assert response.status == 200 and "不在本小区" in page and "请向居委会反映" in page
    assert "不在本小区" in text_of(await (await house.client.get(f"{path}/letter.pdf")).read())
    assert "不在本小区" in await (await house.client.get(f"{path}/letter.txt")).text()
    other = f"/r/l{letter['id']}-{'0' * 32}"
    for wrong in (other, f"{other}/letter.pdf", "/r/l1", "/r/l", "/r/lx-1", path.replace("/r/l", "/r/"), path + "0"):
        assert (await house.client.get(wrong)).status == 404, wrong
    assert (await house.call("GET", f"/letters/{letter['id']}/pdf", None)).status == 401
    await sheet(house, letter, "guard", status=200)
    await sheet(house, letter, "editor", status=404)
    await sheet(house, {"id": 999}, status=404)


async def test_a_report_about_staff_has_letters_for_inspectors_alone(house):
    number = (await house.register(kind="report", category=None))["number"]
    letter = (await house.do(number, "accept", "inspector"))["letters"][0]
    await sheet(house, letter, "inspector")
    await sheet(house, letter, "supervisor", status=404)
    assert (await house.get("/letters"))["items"] == []


async def test_the_progress_page_lists_the_letters_with_their_links(house):
    ticket = await house.register()
    letter = (await house.do(ticket["number"], "accept"))["letters"][0]
    response = await house.client.post("/progress", data={"number": ticket["number"], "code": ticket["code"]})
    page = await response.text()
    assert "受理通知书" in page and f"/r/{letter_ways.token(house.runtime, letter['id'])}" in page


async def test_a_reply_that_is_sent_back_leaves_a_void_letter_and_the_next_has_the_next_number(house):
    number = (await house.register(reply_by="collection"))["number"]
    void = (await house.work(number))["letters"][-1]
    await house.do(number, "send_back", "supervisor", reason="金额写错了")
    await house.do(number, "submit", "officer", findings="upheld", action_taken="x", reply="退回 120 元。")
    old, new = (await house.do(number, "approve", "supervisor"))["letters"][-2:]
    assert old["id"] == void["id"] and old["void_at"] and not new["void_at"]
    assert new["number"] == "物服复字〔2026〕2号"
    assert "作废" in text_of(await sheet(house, old)) and "作废" not in text_of(await sheet(house, new))
    await house.post(f"/letters/{old['id']}/collected", {"note": "本人"}, status=409)


async def test_a_reply_collected_at_the_desk_is_delivered_and_its_call_is_over(house):
    number = (await house.register(reply_by="collection"))["number"]
    letter = (await house.work(number))["letters"][-1]
    path = f"/letters/{letter['id']}/collected"
    await house.post(path, {"note": "本人"}, "supervisor", 403)
    await house.post(path, {}, status=422)
    done = await house.post(path, {"note": "本人，出示身份证"})
    assert done["collected_at"] and done["collected_by"] == "clerk"
    ticket = await house.get(f"/tickets/{number}")
    assert ticket["state"] == "replied" and ticket["letters"][-1]["collected_at"] == done["collected_at"]
    assert (await house.get("/call-backs?status=open"))["items"] == []
    await house.post(path, {"note": "又来一次"}, status=409)
    assert (await house.do(number, "close", "officer"))["state"] == "closed"


async def test_a_call_back_logged_as_collected_is_the_letters_collection_too(house):
    number = (await house.register(reply_by="collection"))["number"]
    await house.work(number)
    call = (await house.get(f"/call-backs?ticket={number}"))["items"][0]
    await house.post(f"/call-backs/{call['id']}/done", {"reached": True, "outcome": "collected", "note": "本人"})
    by_kind = {item["kind"]: item for item in (await house.get(f"/tickets/{number}"))["letters"]}
    assert by_kind["reply"]["collected_at"] and not by_kind["acceptance"]["collected_at"]


async def test_a_word_said_at_once_is_a_letter_only_for_who_wants_paper(house):
    for way, kinds in ((None, []), ("letter", ["reply"])):
        fields = {"reply_by": way} if way else {}
        number = (await house.register(kind="consultation", **fields))["number"]
        told = await house.do(number, "answer_directly", reply="周一到周五办理。")
        assert [item["kind"] for item in told["letters"]] == kinds


async def test_the_console_shows_the_letters_gives_the_sheet_and_logs_the_collection(house):
    number = (await house.register(reply_by="collection"))["number"]
    letter = (await house.work(number))["letters"][-1]
    async with house.db.writing() as session:
        await staff.add(session, "陈窗口", ["clerk"], None, "password-of-chen", clock.now())
        token = await sign_in.open_session(session, "陈窗口", clock.now())
    cookies = {sign_in.COOKIE: token}
    page = await (await house.client.get(f"/staff/tickets/{number}", cookies=cookies)).text()
    assert "答复书" in page and letter["number"] in page
    got = await house.client.get(f"/staff/letters/{letter['id']}/pdf", cookies=cookies)
    assert got.headers["Content-Type"] == "application/pdf" and APPROVED in text_of(await got.read())
    form = {"form_token": re.search(r'name="form_token" value="(\w[^"]*)"', page)[1], "note": "本人"}
    done = await house.client.post(f"/staff/tickets/{number}/letters/{letter['id']}", data=form, cookies=cookies)
    assert "已领取" in await done.text()
    again = await house.client.post(f"/staff/tickets/{number}/letters/{letter['id']}", data=form, cookies=cookies)
    assert "collected already" in await again.text()
