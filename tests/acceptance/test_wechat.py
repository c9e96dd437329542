"""WeChat in safe mode, against a platform that signs, encrypts and bites, with the real assistant."""

import json

import pytest

from tests.acceptance.office import close, complain, submit
from tests.acceptance.running import Follower, Running
from tests.fakes.wechat import FakeWeChat

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]


async def test_a_question_is_answered_from_a_guide_with_its_source(office: Running, wechat: FakeWeChat):
    follower = Follower(office, wechat, "oAsks")
    assert "【来源】《物业费缴纳》" in await follower.say("物业费怎么交？")


async def test_a_complaint_comes_to_a_reply_by_customer_service_message_and_a_closed_ticket(
    office: Running, wechat: FakeWeChat
):
    follower = Follower(office, wechat, "oComplains")
    number = await complain(follower.say, "我要投诉，昨天晚上6栋1单元楼下垃圾没人清")
    await submit(office, number, "cleaning-waste", "垃圾已经清运，今后每天两次。")
    await office.verb("supervisor", number, "approve")
    closed = await close(office, number)
    (delivery,) = closed["replies"][0]["deliveries"]
    assert (closed["state"], delivery["channel"], delivery["status"]) == ("closed", "wechat", "delivered")
    assert len([text for text in wechat.texts("oComplains") if "今后每天两次" in text]) == 1


async def test_who_follows_is_welcomed(office: Running, wechat: FakeWeChat):
    assert "您好，这里是" in await Follower(office, wechat, "oFollows").act("subscribe")


async def test_text_that_begins_with_a_slash_is_text(office: Running, wechat: FakeWeChat):
    assert await Follower(office, wechat, "oSlash").say("/restart")
    (conversation,) = await office.items("/conversations?address=wechat:oSlash")
    said = [item["text"] for item in await office.items(f"/messages?conversation={conversation['id']}")]
    assert said[0] == "/restart"


async def test_a_forged_signature_is_refused_and_nothing_is_stored(office: Running, wechat: FakeWeChat):
    query, body = wechat.wrap(wechat.message("oForged", "text", "<Content><![CDATA[假的]]></Content>"))
    forged = {**query, "msg_signature": "0" * 40}
    assert (await wechat.post(forged, body)).status == 403
    async with office.http.get("/metrics") as response:
        assert 'huiyin_channel_refused_total{channel="wechat"' in await response.text()
    assert all(row["sender"] != "oForged" for row in await office.items("/inbox?channel=wechat&limit=200"))


async def test_what_is_rightly_signed_but_no_xml_is_set_aside_where_the_operator_sees_it(
    office: Running, wechat: FakeWeChat
):
    query, body = wechat.wrap("<xml><this is not XML")
    attempt = await wechat.post(query, body)
    assert (attempt.status, attempt.body) == (200, "success")
    listed = await office.command("inbox", "list", "--json", "--status", "set_aside")
    assert [row["channel"] for row in json.loads(listed.stdout)] == ["wechat"]
    (row,) = await office.items("/inbox?status=set_aside")
    assert row["external_id"].startswith("unreadable:") and row["last_error"]
