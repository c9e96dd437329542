"""The official account against a platform that bites."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import update

import channels.wechat.api as api
from channels.base import Attempt, PermanentFailure, TemporaryFailure, WindowClosed
from channels.wechat import NOTICE, Pace, WeChat, WeChatAccount, WeChatToken
from core import clock
from core.db import Database
from core.message import Attachment, OutboundMessage
from core.queues import Status
from tests.channels.contract import Contract, outbound, running_writer, stored
from tests.fakes.passive import FakePassive
from tests.fakes.server import LoopbackServer
from tests.fakes.wechat import FakeWeChat, Keys, Try, encrypt, signature

DATA = Path(__file__).parents[3] / "shared" / "data" / "wechat"
OPENID = "oResident_0001"


def settings_for(platform: FakeWeChat, **changes: Any) -> WeChatAccount:
    keys = platform.keys
    values: dict[str, Any] = {
        "app_id": keys.app_id,
        "app_secret": keys.secret,
        "token": keys.token,
        "aes_key": keys.aes_key,
        "mode": keys.mode,
        "kind": "service",
        "api_base": platform.url,
        "notice_template": "template-1",
    }
    return WeChatAccount(**(values | changes))


@dataclass
class Phone:
    """A resident's WeChat, the platform behind it, and the channel it reaches."""

    channel: WeChat
    platform: FakeWeChat
    passive: FakePassive
    db: Database
    recipient: str = OPENID

    async def post(self, xml: str, **options: Any) -> Try:
        return await self.platform.post(*self.platform.wrap(xml, **options))

    async def deliver(self, text: str, number: int) -> int:
        xml = self.platform.message(OPENID, "text", f"<Content><![CDATA[{text}]]></Content>", number)
        return (await self.post(xml)).status or 0

    async def forge(self, text: str) -> int:
        query, body = self.platform.wrap(self.platform.message(OPENID, "text", f"<Content>{text}</Content>"))
        wrong = {"signature": "0" * 40, "msg_signature": "0" * 40}
        return (await self.platform.post(query | wrong, body)).status or 0

    async def malformed(self) -> int:
        return (await self.post("<xml><a></xml>")).status or 0

    async def oversized(self) -> int:
        query, _ = self.platform.wrap("<xml></xml>")
        return (await self.platform.post(query, "x" * (1024 * 1024 + 1))).status or 0

    async def received(self) -> list[str]:
        return self.platform.texts(OPENID)

    def answer_with_error_body(self) -> bool:
        self.platform.scripted.append(-1)
        return True

    def never_answer(self) -> bool:
        self.platform.scripted.append("slow")
        return True

    async def send(self, text: str, outbox_id: int = 1, step: str = "wechat", **fields: Any) -> Any:
        return await self.channel.send(outbound(self, text, **fields), Attempt(outbox_id, step))


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def changes() -> dict[str, Any]:
    """What is special about the account's settings."""
    return {}


@pytest.fixture
async def door(
    db: Database, keys: Keys, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Phone]:
    monkeypatch.setattr(api, "TIMEOUT", aiohttp.ClientTimeout(total=0.6))
    platform, passive = FakeWeChat(keys=keys, second=1.0, keeps_windows=False), FakePassive(expects=False)
    await platform.start()
    async with running_writer(db) as writer, aiohttp.ClientSession() as http:
        channel = WeChat("main", settings_for(platform, **changes), writer, db, http, passive)
        server = LoopbackServer(channel.routes())
        await server.start()
        platform.callback = f"{server.url}/channels/wechat/main"
        yield Phone(channel, platform, passive, db)
        await channel.close()
        await server.close()
        await platform.close()


@pytest.fixture
async def quick(
    db: Database, keys: Keys, changes: dict[str, Any]
) -> AsyncIterator[Phone]:
    """The same with seconds a fifth as long, for what happens over three tries."""
    platform, passive = FakeWeChat(keys=keys, second=0.2), FakePassive()
    await platform.start()
    async with running_writer(db) as writer, aiohttp.ClientSession() as http:
        pace = Pace(answer_s=0.38, hold_s=1.0)
        channel = WeChat("main", settings_for(platform, **changes), writer, db, http, passive, pace)
        server = LoopbackServer(channel.routes())
        await server.start()
        platform.callback = f"{server.url}/channels/wechat/main"
        yield Phone(channel, platform, passive, db)
        await channel.close()
        await server.close()
        await platform.close()


class TestPlainContract(Contract):
    """Plain mode keeps the contract."""


class TestSafeContract(Contract):
    """Safe mode keeps the contract."""

    @pytest.fixture
    def keys(self) -> Keys:
        return Keys(mode="safe")


# The address and its signature.


async def get(door: Phone, **query: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.get(door.platform.callback, params=query) as answer:
        return answer.status, await answer.text()


def signed(token: str, timestamp: str | None = None) -> dict[str, str]:
    stamp = timestamp or str(int(time.time()))
    return {"timestamp": stamp, "nonce": "n", "signature": signature(token, stamp, "n")}


async def test_the_platform_s_check_of_the_address_is_echoed(door: Phone):
    assert await get(door, **signed(door.platform.keys.token), echostr="5927782489442352469") == (
        200, "5927782489442352469",
    )
    assert (await get(door, **signed("another token"), echostr="1"))[0] == 403
    assert (await get(door, echostr="1"))[0] == 403


async def test_an_unknown_account_is_not_found(door: Phone):
    door.platform.callback = door.platform.callback.replace("/main", "/other")
    assert await door.deliver("在吗", 1) == 404


@pytest.mark.parametrize("offset", [-601, 601, -86_400])
async def test_a_timestamp_more_than_ten_minutes_away_is_refused(door: Phone, db: Database, offset: int):
    xml = door.platform.message(OPENID, "text", "<Content>a</Content>")
    assert (await door.post(xml, timestamp=int(time.time()) + offset)).status == 403
    assert (await door.post(xml, timestamp=int(time.time()) + offset // 200)).status in (200, 403)
    assert len(await stored(db)) <= 1


@pytest.mark.parametrize("stamp", ["", "later", "-5", "9" * 40, "１７６４１"])
async def test_a_timestamp_that_is_none_is_refused(door: Phone, stamp: str):
    query = {"timestamp": stamp, "nonce": "n", "signature": signature(door.platform.keys.token, stamp, "n")}
    assert (await door.platform.post(query, "<xml/>")).status == 403


async def test_in_plain_mode_a_nonce_seen_with_another_body_is_refused(door: Phone, db: Database):
    first = door.platform.message(OPENID, "text", "<Content>真的</Content>", 1)
    query, body = door.platform.wrap(first)
    assert (await door.platform.post(query, body)).status == 200
    assert (await door.platform.post(query, body)).status == 200
    forged = door.platform.message(OPENID, "text", "<Content>假的</Content>", 2)
    assert (await door.platform.post(query, forged)).status == 403
    await door.channel.close()
    async with running_writer(db) as writer, aiohttp.ClientSession() as http:
        restarted = WeChat("main", settings_for(door.platform), writer, db, http, door.passive)
        server = LoopbackServer(restarted.routes())
        await server.start()
        door.platform.callback = f"{server.url}/channels/wechat/main"
        assert (await door.platform.post(query, forged)).status == 403
        await server.close()
    assert [row.text for row in await stored(db)] == ["真的"]


class TestEncrypted:
    """Safe mode: the signature covers the message, the app id inside must be ours."""

    @pytest.fixture
    def keys(self) -> Keys:
        return Keys(mode="safe")

    async def test_a_plain_body_is_refused(self, door: Phone, db: Database):
        xml = door.platform.message(OPENID, "text", "<Content>a</Content>")
        query, _ = door.platform.wrap(xml)
        assert (await door.platform.post(query, xml)).status == 403 and await stored(db) == []

    async def test_a_message_for_another_app_is_refused(self, door: Phone, db: Database):
        xml = door.platform.message(OPENID, "text", "<Content>a</Content>")
        assert (await door.post(xml, app_id="wxSomebodyElse")).status == 403 and await stored(db) == []

    async def test_a_sealed_part_that_was_changed_is_refused(self, door: Phone, db: Database):
        query, body = door.platform.wrap(door.platform.message(OPENID, "text", "<Content>a</Content>"))
        at = body.index("CDATA[") + 20
        changed = body[:at] + ("A" if body[at] != "A" else "B") + body[at + 1 :]
        assert (await door.platform.post(query, changed)).status == 403 and await stored(db) == []

    async def test_signed_but_sealed_with_another_key_is_kept_aside(self, door: Phone, db: Database):
        door.platform.keys.aes_key = "Z" * 43
        assert (await door.post(door.platform.message(OPENID, "text", "<Content>a</Content>"))).body == "success"
        assert [row.status for row in await stored(db)] == [Status.SET_ASIDE]

    async def test_the_same_message_wrapped_anew_is_a_duplicate(self, door: Phone, db: Database):
        for _ in range(2):
            assert await door.deliver("一次", 7) == 200
        assert len(await stored(db)) == 1

    async def test_the_passive_reply_is_sealed_for_the_platform(self, quick: Phone):
        quick.passive.answer_all = "收到]]>了\x01<b>"
        assert await quick.platform.says(OPENID, "你好") == "收到]]>了<b>"

    async def test_during_a_rotation_old_and_new_count(self, db: Database, door: Phone):
        old = door.platform.keys
        new = Keys(token="the-new-token", aes_key="Q" * 43, mode="safe")
        async with running_writer(db) as writer, aiohttp.ClientSession() as http:
            settings = settings_for(
                door.platform, token=new.token, aes_key=new.aes_key, old_token=old.token, old_aes_key=old.aes_key
            )
            channel = WeChat("main", settings, writer, db, http, door.passive)
            server = LoopbackServer(channel.routes())
            await server.start()
            door.platform.callback = f"{server.url}/channels/wechat/main"
            for number, keys in enumerate((old, new)):
                door.platform.keys = keys
                assert await door.deliver("轮换", number) == 200
            await server.close()
        assert len(await stored(db)) == 2


class TestCompatible:
    """Compatible mode takes both, and prefers what is sealed."""

    @pytest.fixture
    def keys(self) -> Keys:
        return Keys(mode="compatible")

    async def test_the_sealed_part_counts(self, door: Phone, db: Database):
        query, body = door.platform.wrap(door.platform.message(OPENID, "text", "<Content>真的</Content>"))
        assert (await door.platform.post(query, body.replace("<Content>真的", "<Content>假的"))).status == 200
        assert [row.text for row in await stored(db)] == ["真的"]

    async def test_a_plain_message_is_taken(self, door: Phone, db: Database):
        xml = door.platform.message(OPENID, "text", "<Content>明文</Content>")
        query, _ = door.platform.wrap(xml)
        assert (await door.platform.post(query, xml)).status == 200
        assert [row.text for row in await stored(db)] == ["明文"]


# What is in a message.

MESSAGES = [
    pytest.param("text", "<Content><![CDATA[你好]]></Content>", "你好", 0, {}, id="text"),
    pytest.param("voice", "<MediaId>m1</MediaId><Recognition><![CDATA[电梯坏了。]]></Recognition>",
                 "电梯坏了。", 1, {"recognised": True}, id="voice, recognised"),
    pytest.param("voice", "<MediaId>m1</MediaId><Format>amr</Format>", "", 1, {"recognised": False}, id="voice"),
    pytest.param("image", "<PicUrl>http://evil.example/a.jpg</PicUrl><MediaId>m2</MediaId>", "", 1, {}, id="image"),
    pytest.param("shortvideo", "<MediaId>m3</MediaId><ThumbMediaId>t</ThumbMediaId>", "", 1, {}, id="short video"),
    pytest.param("location", "<Location_X>30.2</Location_X><Location_Y>120.1</Location_Y><Scale>20</Scale>"
                 "<Label><![CDATA[云溪花园3幢]]></Label>", "云溪花园3幢", 0,
                 {"location": {"latitude": 30.2, "longitude": 120.1, "label": "云溪花园3幢"}}, id="location"),
    pytest.param("file", "<Title>bill.pdf</Title><FileTotalLen>9</FileTotalLen>", "", 1,
                 {"file": {"name": "bill.pdf", "about": ""}}, id="file"),
    pytest.param("link", "<Title>通知</Title><Description>停水</Description><Url>http://a.example</Url>",
                 "通知\n停水\nhttp://a.example", 0, {}, id="link"),
]


@pytest.mark.parametrize(("type_", "fields", "text", "files", "facts"), MESSAGES)
async def test_every_type_of_message_is_understood(
    door: Phone, db: Database, type_: str, fields: str, text: str, files: int, facts: dict[str, Any]
):
    assert (await door.post(door.platform.message(OPENID, type_, fields))).status == 200
    (row,) = await stored(db)
    assert (row.text, len(row.attachments), row.event, row.status) == (text, files, None, Status.TODO)
    assert row.facts["type"] == type_ and facts.items() <= row.facts.items()


EVENTS = [
    pytest.param("subscribe", "", "subscribe", {}, id="follow"),
    pytest.param("subscribe", "qrscene_lift-3", "subscribe", {"scene": "lift-3"}, id="follow by a poster"),
    pytest.param("SCAN", "lift-3", "scan", {"scene": "lift-3"}, id="scan"),
    pytest.param("CLICK", "progress", "click", {"key": "progress"}, id="menu"),
    pytest.param("VIEW", "http://a.example/" + "x" * 100, "view", {}, id="menu link"),
    pytest.param("unsubscribe", "", "unsubscribe", {}, id="unfollow"),
    pytest.param("some_new_event", "", "some_new_event", {}, id="unknown"),
]


@pytest.mark.parametrize(("event", "key", "name", "facts"), EVENTS)
async def test_every_event_is_kept(
    door: Phone, db: Database, event: str, key: str, name: str, facts: dict[str, Any]
):
    for _ in range(2):
        assert (await door.post(door.platform.event(OPENID, event, key, at=1_700_000_000))).status == 200
    (row,) = await stored(db)
    assert row.event == name and row.text == "" and facts.items() <= row.facts.items()


async def test_one_msg_id_from_two_senders_is_two_messages(door: Phone, db: Database):
    for openid in ("oA", "oB"):
        await door.post(door.platform.message(openid, "text", "<Content>a</Content>", 5))
    assert len(await stored(db)) == 2


HOSTILE = [
    "", "not xml", "<xml/>", "<xml><MsgType>text</MsgType></xml>", "<xml><FromUserName>a</FromUserName></xml>",
    "<xml><FromUserName><a/></FromUserName><MsgType>text</MsgType></xml>",
    "<xml><FromUserName>o]]&gt;&lt;x</FromUserName><MsgType>text</MsgType></xml>",
    "<xml><FromUserName>oA</FromUserName><MsgType><a>1</a></MsgType></xml>",
    "<xml><FromUserName>oA</FromUserName><MsgType>event</MsgType></xml>",
    "<xml><FromUserName>oA</FromUserName><MsgType>location</MsgType><Location_X>x</Location_X></xml>",
    '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><FromUserName>&b;</FromUserName></xml>',
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><FromUserName>oA</FromUserName>'
    "<MsgType>text</MsgType><Content>&a;</Content></xml>",
    "<xml>" + "<a>" * 20_000 + "</a>" * 20_000 + "</xml>",
]


@pytest.mark.parametrize("body", [*HOSTILE, b"<xml>\xff\xfe</xml>"], ids=range(len(HOSTILE) + 1))
async def test_hostile_xml_that_is_rightly_signed_is_kept_aside(door: Phone, db: Database, body: str | bytes):
    query, _ = door.platform.wrap("<xml/>")
    attempt = await door.platform.post(query, body)
    assert (attempt.status, attempt.body) == (200, "success")
    (row,) = await stored(db)
    raw = body.encode() if isinstance(body, str) else body
    assert row.status == Status.SET_ASIDE and row.raw == raw and row.last_error


@pytest.mark.skipif(not DATA.exists(), reason="the folder ../shared/data is not here")
async def test_real_messages_are_all_understood(door: Phone, db: Database):
    files = sorted(DATA.glob("*.xml"))
    for number, file in enumerate(files):  # most of them carry the documentation's one MsgId
        xml = file.read_text().strip().replace("1234567890123456", str(number))
        assert (await door.post(xml)).status == 200, file.name
    rows = await stored(db)
    assert len(rows) == len(files) and {row.status for row in rows} == {Status.TODO}


@pytest.mark.skipif(not DATA.exists(), reason="the folder ../shared/data is not here")
@pytest.mark.parametrize("number", [0, 1])
async def test_the_platform_s_own_encryption_examples_open(number: int):
    from channels.wechat.seal import Seal, sign

    vector = json.loads((DATA / "crypto.json").read_text())[number]
    account = WeChatAccount(app_id=vector["receive_id"], token=SecretStr(vector["token"]),
                            aes_key=SecretStr(vector["encoding_aes_key"]))
    now = clock.now()
    query = {"timestamp": str(int(now.timestamp())), "nonce": vector["nonce"]}
    query["msg_signature"] = sign(vector["token"], query["timestamp"], query["nonce"], vector["encrypt"])
    body = f"<xml><Encrypt>{vector['encrypt']}</Encrypt></xml>".encode()
    assert Seal(account).open(query, body, now).body.decode() == vector["plaintext"]


# Answers within the request.


async def test_an_answer_ready_in_time_is_the_passive_reply(quick: Phone):
    quick.passive.answer_all = "物业费每平方米2.8元。"
    assert await quick.platform.says(OPENID, "物业费多少") == "物业费每平方米2.8元。"
    assert quick.passive.confirmed == [("物业费每平方米2.8元。", "")]
    assert len(quick.platform.tries) == 1


async def test_without_hope_of_an_answer_success_comes_at_once(quick: Phone, db: Database):
    quick.passive.expects = False
    assert await quick.platform.says(OPENID, "你好") is None
    assert quick.passive.asked == [] and len(quick.platform.tries) == 1
    assert (await stored(db))[0].passive_until is None


async def test_an_answer_too_late_is_left_to_a_message_of_its_own(quick: Phone, db: Database):
    assert await quick.platform.says(OPENID, "你好") is None
    assert [attempt.body for attempt in quick.platform.tries] == ["success"]
    row = (await stored(db))[0]
    assert row.passive_until and row.passive_until - row.created_at < timedelta(seconds=4)


async def test_an_answer_too_long_for_one_reply_is_given_back(quick: Phone):
    quick.passive.answer_all = "很长。" * 300
    assert await quick.platform.says(OPENID, "你好") is None
    assert quick.passive.given_back and not quick.passive.confirmed


async def test_a_repeat_is_acknowledged_and_answered_once(quick: Phone):
    quick.passive.answer_all = "好的。"
    xml = quick.platform.message(OPENID, "text", "<Content>a</Content>", 1)
    replies = [await quick.platform.deliver(OPENID, xml) for _ in range(3)]
    assert replies == ["好的。", None, None] and len(quick.passive.confirmed) == 1


async def test_nobody_is_kept_waiting_for_an_answer_to_a_mere_notification(quick: Phone):
    await quick.platform.acts(OPENID, "unsubscribe")
    await quick.platform.acts(OPENID, "VIEW", "http://a.example")
    assert quick.passive.asked == []


class TestWithoutCustomerService:
    """Subscription and unverified accounts can only answer within the platform's three tries."""

    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"kind": "subscription"}

    async def test_two_tries_stay_unanswered_and_the_third_is_acknowledged(self, quick: Phone, db: Database):
        assert await quick.platform.says(OPENID, "你好") is None
        assert [attempt.status for attempt in quick.platform.tries] == [None, None, 200]
        assert quick.platform.tries[-1].body == "success"
        assert all(attempt.seconds >= 0.95 for attempt in quick.platform.tries[:2])
        assert len(await stored(db)) == 1

    async def test_a_repeated_try_is_answered_with_the_stored_reply(self, quick: Phone):
        asking = asyncio.create_task(quick.platform.says(OPENID, "你好"))
        await asyncio.sleep(0.5)
        quick.passive.stored[1] = "迟到的答复"
        assert await asking == "迟到的答复"
        assert [attempt.status for attempt in quick.platform.tries] == [None, 200]

    async def test_what_came_too_late_is_given_on_the_last_try_of_the_next_message(self, quick: Phone):
        await quick.platform.says(OPENID, "第一")
        quick.passive.answer_all = "第一条的答复\n第二条的答复"
        assert await quick.platform.says(OPENID, "第二") == "第一条的答复\n第二条的答复"

    async def test_a_long_reply_is_given_in_part_and_the_rest_waits(self, quick: Phone):
        text = "".join(f"第{number}句很长的话在这里。" for number in range(80))
        quick.passive.answer_all = text
        seen = await quick.platform.says(OPENID, "你好")
        assert seen and len(seen) <= 600 and seen + quick.passive.confirmed[0][1].replace("\n", "") == text

    async def test_it_sends_nothing_of_its_own(self, quick: Phone):
        assert not quick.channel.capabilities.pushes
        with pytest.raises(WindowClosed):
            await quick.send("在吗")


# Messages of our own.


async def test_a_follower_may_be_written_to_five_times_until_he_writes_again(door: Phone):
    await door.deliver("你好", 1)
    for number in range(5):
        await door.send("在", number)
    with pytest.raises(WindowClosed):
        await door.send("再", 9)
    assert len(await door.received()) == 5
    await door.deliver("谢谢", 2)
    await door.send("再", 9)


async def test_after_a_scan_there_are_three_within_a_minute(door: Phone):
    await door.platform.acts(OPENID, "SCAN", "lift-3")
    assert await door.channel.left(OPENID, clock.now()) == 3
    assert await door.channel.left(OPENID, clock.now() + timedelta(seconds=61)) == 0


async def test_a_text_that_needs_more_messages_than_are_left_is_not_begun(door: Phone):
    await door.platform.acts(OPENID, "CLICK", "help")
    with pytest.raises(WindowClosed):
        await door.send("句子。" * 1000)
    assert await door.received() == []


async def test_a_retry_goes_on_after_the_parts_that_arrived(door: Phone):
    text = "".join(f"第{number}句话说的是物业费怎样计算。" for number in range(70))
    await door.send("先说一句")
    door.platform.scripted.extend([None, "http:503"])
    with pytest.raises(TemporaryFailure):
        await door.send(text, 5)
    await door.send(text, 5)
    assert "".join(await door.received()) == "先说一句" + text


CODES = [
    (-1, TemporaryFailure), (45009, TemporaryFailure), (45015, WindowClosed), (45047, WindowClosed),
    (43004, PermanentFailure), (48001, PermanentFailure), (40003, PermanentFailure), (99999, PermanentFailure),
    ("http:500", TemporaryFailure), ("http:502", TemporaryFailure), ("garbage", TemporaryFailure),
]


@pytest.mark.parametrize(("trouble", "error"), CODES, ids=[str(row[0]) for row in CODES])
@pytest.mark.parametrize("step", ["wechat", NOTICE])
async def test_every_refusal_says_what_to_do_next(door: Phone, trouble: Any, error: type[Exception], step: str):
    door.platform.scripted.append(trouble)
    with pytest.raises(error):
        await door.send("好", step=step)
    assert not door.platform.sent and not door.platform.notices


async def test_a_notice_announces_with_the_link_and_is_no_duplicate_when_retried(door: Phone):
    message = OutboundMessage("wechat", "main", OPENID, "全文", "reply", link="http://office.example/r/abc")
    notice = {"number": "HY20261126-00001", "title": "路灯不亮", "state": "已答复", "at": "2026-11-26 09:00"}
    for _ in range(2):
        sent = await door.channel.send(message, Attempt(3, NOTICE, notice))
        assert sent.announced and sent.platform_id
    (body,) = door.platform.notices
    assert body["url"] == "http://office.example/r/abc" and body["template_id"] == "template-1"
    assert {key: item["value"] for key, item in body["data"].items()} == {
        "first": "路灯不亮", "keyword1": "HY20261126-00001", "keyword2": "已答复", "remark": "2026-11-26 09:00",
    }


# The access token.


async def test_the_token_is_fetched_once_for_many(door: Phone):
    await asyncio.gather(*(door.send("好", number) for number in range(20)))
    assert door.platform.token_calls == ["stable_token"]


async def test_a_refused_token_is_renewed_once_for_many(door: Phone, db: Database):
    await door.send("好")
    door.platform.forget_tokens()
    async with db.writing() as session:
        await session.execute(update(WeChatToken).values(renewed_at=clock.now() - timedelta(minutes=1)))
    await asyncio.gather(*(door.send("好", number) for number in range(2, 21)))
    assert door.platform.token_calls == ["stable_token", "stable_token force"]
    assert len(door.platform.sent) == 20


async def test_a_platform_that_refuses_every_token_starts_no_storm(door: Phone):
    door.platform.scripted.extend([40001] * 40)
    results = await asyncio.gather(*(door.send("好", number) for number in range(20)), return_exceptions=True)
    assert all(isinstance(result, TemporaryFailure) for result in results)
    assert len(door.platform.token_calls) <= 2


async def test_the_token_is_renewed_before_its_end(door: Phone, db: Database):
    await door.send("好")
    async with db.writing() as session:
        await session.execute(update(WeChatToken).values(renew_at=clock.now() - timedelta(seconds=1)))
    await door.send("好", 2)
    assert len(door.platform.token_calls) == 2 and door.platform.refused == []


async def test_processes_share_one_token(door: Phone, db: Database):
    async with aiohttp.ClientSession() as http, running_writer(db) as writer:
        others = [WeChat("main", settings_for(door.platform), writer, db, http, FakePassive()) for _ in range(3)]
        await asyncio.gather(
            *(channel.send(outbound(door, "好"), Attempt(number, "wechat")) for number, channel in enumerate(others))
        )
    assert door.platform.token_calls == ["stable_token"]


async def test_an_older_gateway_without_stable_token_gives_one_too(door: Phone):
    door.platform.stable = False
    await door.send("好")
    assert door.platform.token_calls == ["token"]


class TestWrongSecret:
    """A wrong app_secret keeps the texts waiting, and says what to look at."""

    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"app_secret": "wrong-secret"}

    async def test_it_is_temporary_and_named(self, door: Phone):
        with pytest.raises(TemporaryFailure, match="app_secret"):
            await door.send("好")


# Files.


async def test_a_picture_is_fetched_from_the_platform(door: Phone):
    door.platform.media["m1"] = ("image/jpeg", b"\xff\xd8\xff picture")
    assert await door.channel.fetch(Attachment("a.jpg", "image/jpeg", media_id="m1")) == b"\xff\xd8\xff picture"
    with pytest.raises(PermanentFailure):
        await door.channel.fetch(Attachment("a.jpg", "image/jpeg", media_id="gone"))


async def test_an_address_instead_of_a_file_is_not_followed(door: Phone):
    door.platform.media["v1"] = ("application/json", b'{"video_url": "http://127.0.0.1:1/x"}')
    with pytest.raises(PermanentFailure):
        await door.channel.fetch(Attachment("a.mp4", "video/mp4", media_id="v1"))


# Many at once.


async def test_many_messages_three_times_over_eight_connections_are_stored_once_each(quick: Phone, db: Database):
    quick.passive.expects = False
    wrapped = [
        quick.platform.wrap(quick.platform.message(f"o{number % 17}", "text", "<Content>a</Content>", number))
        for number in range(40)
    ]
    waiting = asyncio.Semaphore(8)

    async def bring(query: dict[str, str], body: str) -> None:
        async with waiting:
            await quick.platform.post(query, body)

    quick.platform.second = 2
    await asyncio.gather(*(bring(*item) for item in wrapped * 3))
    assert {attempt.body for attempt in quick.platform.tries} == {"success"}
    assert len(await stored(db)) == 40


# The settings.


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"aes_key": "short"}, id="a short key"),
        pytest.param({"mode": "safe", "aes_key": ""}, id="no key for safe mode"),
        pytest.param({"api_base": "http://a.example/path"}, id="a path in api_base"),
        pytest.param({"token": ""}, id="no token"),
        pytest.param({"notice_fields": {"first": "secret"}}, id="an unknown value"),
        pytest.param({"appid": "wx"}, id="an unknown key"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any]):
    with pytest.raises(ValidationError):
        settings_for(FakeWeChat(), **changes)


def test_the_fake_s_encryption_is_not_the_service_s(keys: Keys):
    """What the fake seals opens with the key as documented, so both sides agree for the right reason."""
    from tests.fakes.wechat import decrypt

    assert decrypt(keys, encrypt(keys, "<xml>中文</xml>")) == "<xml>中文</xml>"


async def test_erasing_a_follower_forgets_his_window(door: Phone, db: Database):
    await door.deliver("你好", 1)
    async with db.writing() as session:
        await door.channel.forget(session, OPENID)
    assert await door.channel.left(OPENID, clock.now()) is None
