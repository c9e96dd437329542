"""What the assistant tells the service of its matters, and when it speaks although a person holds the conversation."""

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import FormData
from sqlalchemy import select

from core import clock
from core.conversation import Conversation, Matter, Message, Resident
from core.db import Database
from service import line
from tests.service.house import EVENING, House
from ticketing.model import Ticket

PHONE = "13900550199"


class Guest:
    """A resident in one session of the web chat."""

    def __init__(self, house: House, session: dict[str, str]) -> None:
        self.house = house
        self._path = f"/channels/webchat/sessions/{session['session']}"
        self._headers = {"Authorization": f"Bearer {session['token']}"}
        self._said = 0

    @classmethod
    async def open(cls, house: House) -> "Guest":
        return cls(house, await (await house.client.post("/channels/webchat/sessions")).json())

    async def say(self, text: str) -> list[str]:
        """What is answered to it, once the message was handled."""
        self._said += 1
        body = {"id": f"{self._path}-{self._said}", "text": text}
        response = await self.house.client.post(f"{self._path}/messages", json=body, headers=self._headers)
        return await self._answered((await response.json())["seq"])

    async def send_picture(self) -> list[str]:
        form = FormData()
        form.add_field("file", b"\x89PNG\r\n\x1a\n" + PIXEL, filename="灯.png")
        response = await self.house.client.post(f"{self._path}/attachments", data=form, headers=self._headers)
        assert response.status in (201, 202), await response.text()
        return await self._answered((await response.json())["seq"])

    async def _answered(self, seq: int) -> list[str]:
        async def waiting(queue: str) -> list[Any]:
            rows = [await self.house.get(f"/{queue}?channel=webchat&status={status}") for status in ("todo", "doing")]
            return [item for page in rows for item in page["items"]]

        async def handled() -> bool:
            # Answers are put into the outbox by what ends the inbox row: one look at each, in this order, is enough.
            return not await waiting("inbox") and not await waiting("outbox")

        await self.house.until(handled)
        response = await self.house.client.get(f"{self._path}/messages", headers=self._headers)
        return [item["text"] for item in (await response.json())["items"]
                if item["seq"] > seq and item["from"] != "resident"]

    async def place(self) -> tuple[int, int]:
        """(conversation, newest matter)."""
        async with self.house.db.reading() as session:
            matter = await session.scalar(select(Matter).order_by(Matter.id.desc()).limit(1))
            return matter.conversation_id, matter.id


PIXEL = bytes.fromhex(
    "0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f0003840182b6a2d9220000000049454e44ae426082"
)


async def as_assistant(house: House, path: str, body: dict[str, Any], matter: int, status: int = 200) -> Any:
    return await house.post(path, body, "assistant", status, X_Huiyin_Matter=str(matter))


async def matters(db: Database) -> int:
    async with db.reading() as session:
        return len((await session.scalars(select(Matter.id))).all())


@pytest.fixture
async def guest(house: House) -> Guest:
    return await Guest.open(house)


@pytest.mark.parametrize(("form_open", "after"), [(True, 1), (False, 2)], ids=["with a draft", "without"])
async def test_a_draft_survives_two_days_of_silence(house, guest, form_open, after):
    await guest.say("我要投诉楼上太吵")
    _, matter = await guest.place()
    await as_assistant(house, "/matter", {"form_open": form_open}, matter)
    clock.set_offset(timedelta(days=2))
    await guest.say("你好")
    assert await matters(house.db) == after


async def test_only_the_assistant_changes_a_matter(house, guest):
    await guest.say("你好")
    _, matter = await guest.place()
    await house.post("/matter", {"form_open": True}, "clerk", 403, X_Huiyin_Matter=str(matter))
    await house.post("/matter", {"form_open": True}, "assistant", 404)
    await as_assistant(house, "/matter", {"open": True}, matter, 422)
    async with house.db.reading() as session:
        assert not (await session.get_one(Matter, matter)).form_open


async def test_a_telephone_number_that_comes_after_the_ticket_is_the_residents(house, guest):
    await guest.say(f"我的电话是{PHONE}")
    talk, matter = await guest.place()
    await as_assistant(house, "/matter", {"phone": "<PHONE_1>"}, matter)
    async with house.db.reading() as session:
        row = await session.get_one(Conversation, talk)
        assert (await session.get_one(Resident, row.resident_id)).phone == PHONE


async def test_who_asks_for_confidence_after_his_ticket_gets_it(house, guest):
    await guest.say("你好")
    _, matter = await guest.place()
    body = {"kind": "complaint", "description": "楼上半夜打麻将", "resident": {"name": "林小雨"}}
    number = (await as_assistant(house, "/tickets", body, matter, 201))["number"]
    await as_assistant(house, "/matter", {"confidential": True}, matter)
    ticket = await house.get(f"/tickets/{number}")
    assert ticket["confidential"] is True and ticket["transitions"][-1]["verb"] == "amend"
    await as_assistant(house, "/matter", {"confidential": True}, matter)
    assert (await house.get(f"/tickets/{number}"))["version"] == ticket["version"], "twice said, once done"


async def test_out_of_hours_a_conversation_waits_with_one_number(house, guest):
    house.move_clock(EVENING)
    await guest.say("转人工")
    talk, matter = await guest.place()
    body = {"reason": "居民要求人工", "summary": "电梯的事"}
    first = await as_assistant(house, "/hand-over", body, matter)
    await guest.say("还在吗，我要人工")
    _, later = await guest.place()
    assert later != matter
    again = await as_assistant(house, "/hand-over", body | {"summary": "电梯又停了"}, later)
    assert (first["again"], again["again"]) == (False, True)
    assert again["ticket"] == first["ticket"] and again["promise"]
    assert "上班后接着为您办" in (await guest.say("喂 有人伐"))[0]
    (ticket,) = (await house.get(f"/tickets?conversation={talk}"))["items"]
    assert any("电梯又停了" in (item["reason"] or "") for item in ticket["transitions"])


async def test_a_report_out_of_hours_is_not_registered_a_second_time_for_the_morning(house, guest):
    house.move_clock(EVENING)
    await guest.say("我要举报")
    talk, matter = await guest.place()
    report = {"kind": "report", "description": "窗口人员收红包", "resident": {}}
    number = (await as_assistant(house, "/tickets", report, matter, 201))["number"]
    placed = await as_assistant(house, "/hand-over", {"reason": "举报工作人员"}, matter)
    assert placed["ticket"] == number
    assert len((await house.get(f"/tickets?conversation={talk}", "inspector"))["items"]) == 1
    taken = await house.post(f"/conversations/{talk}/take", {}, "inspector")
    assert taken["taken_by"] == "inspector"
    await house.post(f"/conversations/{talk}/take", {}, "clerk", 404)


async def test_while_nobody_can_be_there_yet_the_assistant_goes_on_answering(house, guest):
    house.move_clock(EVENING)
    house.rasa.reply = lambda turn: [{"text": "物业费按面积收"}]
    await guest.say("转人工")
    _, matter = await guest.place()
    await as_assistant(house, "/hand-over", {"reason": "居民要求人工"}, matter)
    assert await guest.say("物业费怎么交") == ["物业费按面积收"]


async def test_who_waits_for_a_person_may_ask_how_long_and_hears_nothing_once_somebody_is_there(house, guest):
    await guest.say("转人工")
    talk, matter = await guest.place()
    await as_assistant(house, "/hand-over", {"reason": "居民要求人工"}, matter)
    house.rasa.parsed = {"intent": {"name": "greet", "confidence": 0.9}}
    assert "排在第一位" in (await guest.say("喂，有人吗"))[0]
    assert await guest.say("是3栋的电梯") == []
    await house.post(f"/conversations/{talk}/take", {}, "clerk")
    assert not [text for text in await guest.say("还要等多久") if "排在" in text]


async def test_who_speaks_of_dying_waits_behind_nobody_and_is_not_met_with_silence(house):
    first, other, later = [await Guest.open(house) for _ in range(3)]
    house.rasa.parsed = {"intent": {"name": "inform", "confidence": 0.9}}
    placed = []
    for minute, guest in enumerate((first, other, later)):
        house.move_clock(f"2026-11-25T10:0{minute}:00+08:00")
        await guest.say("转人工")
        talk, matter = await guest.place()
        if guest is other:
            await as_assistant(house, "/alarms", {"text": "我在塔吊上面，活着真没意思"}, matter, 201)
        placed.append((talk, await as_assistant(house, "/hand-over", {"reason": "居民要求人工"}, matter)))
    assert [answer["position"] for _, answer in placed] == [1, 1, 3]
    (comfort,) = await other.say("说了有啥用，哪个会管我们这种人")
    assert "12356" in comfort and "110" in comfort
    assert await other.say("算了，跟你们说不清") == [] and await first.say("我是来问烟草证的") == []
    assert "前面还有 1 位" in (await first.say("还要等多久"))[0]
    assert "排在第一位" in (await other.say("还有人吗"))[0]
    await house.post(f"/conversations/{placed[1][0]}/take", {}, "clerk")
    assert "排在第一位" in (await first.say("还要等多久"))[0]


async def test_who_waits_no_longer_is_the_assistants_again_with_what_he_says_then(house, guest):
    await guest.say("转人工")
    talk, matter = await guest.place()
    await as_assistant(house, "/hand-over", {"reason": "居民要求人工"}, matter)
    house.rasa.parsed = {"intent": {"name": "complain", "confidence": 0.9}}
    house.rasa.reply = lambda turn: [{"text": f"听到：{turn['message']}"}]
    assert await guest.say("算了不等了，我家停水了，3幢501") == ["听到：我家停水了，3幢501"]
    assert (await house.get(f"/conversations/{talk}"))["holder"] == "assistant"
    await as_assistant(house, "/hand-over", {"reason": "居民要求人工"}, (await guest.place())[1])
    assert "不再为您转接" in (await guest.say("不用人工了"))[0]


@pytest.mark.parametrize("text", ["喂 有人伐", "有没有人啊", "哎，有人嘛", "有人在吗", "人呢"])
def test_who_is_there_is_asked_in_many_ways(text):
    assert line.asks_after_it(text)


@pytest.mark.parametrize("text", ["有人在楼道抽烟", "有人打架吗", "还有人在楼上打钻", "不等了解清楚就乱收费", "人工费怎么算", "我前面说的是3栋"])
def test_what_only_begins_like_it_is_said_to_the_person(text):
    assert not line.asks_after_it(text) and line.leave_with(text) is None


async def test_a_person_who_holds_the_conversation_is_not_interrupted_but_for_danger(house, guest):
    await guest.say("转人工")
    talk, matter = await guest.place()
    await as_assistant(house, "/hand-over", {"reason": "居民要求人工"}, matter)
    house.rasa.reply = lambda turn: [{"text": "请立即拨打 119！"}]
    house.rasa.parsed = {"intent": {"name": "complain", "confidence": 0.9}}
    assert await guest.say("电梯又坏了") == []
    await house.post(f"/conversations/{talk}/take", {}, "clerk")
    house.rasa.parsed = {"intent": {"name": "report_emergency", "confidence": 0.9}}
    assert (await guest.say("着火了"))[-1] == "请立即拨打 119！"


@pytest.mark.parametrize(("body", "knows"), [({}, "明天上午师傅上门"), ({"settled": "已约好明天上门"}, "已约好明天上门")],
                         ids=["what was said last", "what the clerk writes"])
async def test_when_the_clerk_hands_back_the_assistant_knows_what_was_settled(house, guest, body, knows):
    await guest.say(f"转人工，我的电话{PHONE}")
    talk, matter = await guest.place()
    await as_assistant(house, "/hand-over", {"reason": "居民要求人工"}, matter)
    assert (await house.get("/matter", "assistant", X_Huiyin_Matter=str(matter)))["settled"] is None
    await house.post(f"/conversations/{talk}/take", {}, "clerk")
    words = f"明天上午师傅上门，会打{PHONE}"
    await house.post(f"/conversations/{talk}/messages", {"text": words}, "clerk", 201)
    await house.post(f"/conversations/{talk}/give_back", body, "clerk")
    await guest.say("你好")
    _, later = await guest.place()
    found = await house.get("/matter", "assistant", X_Huiyin_Matter=str(later))
    assert knows in found["settled"] and PHONE not in found["settled"]
    clock.set_offset(timedelta(days=9))
    found = await house.get("/matter", "assistant", X_Huiyin_Matter=str(later))
    assert found["settled"] is None, "what was settled long ago is not news"


async def test_a_picture_after_the_ticket_supplements_it(house, guest):
    await guest.say("楼道灯坏了")
    talk, matter = await guest.place()
    body = {"kind": "request", "description": "楼道灯坏了", "resident": {}}
    number = (await as_assistant(house, "/tickets", body, matter, 201))["number"]
    assert number in "".join(await guest.send_picture())
    ticket = await house.get(f"/tickets/{number}")
    assert ticket["transitions"][-1]["verb"] == "supplement"
    messages = (await house.get(f"/messages?conversation={talk}"))["items"]
    assert any(item["attachments"] for item in messages)


async def test_a_picture_in_the_middle_of_a_form_stays_with_the_draft(house, guest):
    await guest.say("楼道灯坏了")
    _, matter = await guest.place()
    await as_assistant(house, "/matter", {"form_open": True}, matter)
    assert "放在一起" in "".join(await guest.send_picture())


async def test_a_picture_out_of_the_blue_is_asked_about(house, guest):
    assert "用文字说" in "".join(await guest.send_picture())


async def test_the_assistant_reads_tickets_with_tokens_in_place_of_digits(house, guest):
    await guest.say(f"打{PHONE}没人接")
    _, matter = await guest.place()
    body = {"kind": "complaint", "description": "打<PHONE_1>没人接", "resident": {}}
    number = (await as_assistant(house, "/tickets", body, matter, 201))["number"]
    own = await house.get(f"/tickets/{number}", "assistant", X_Huiyin_Matter=str(matter))
    assert own["title"] == "打<PHONE_1>没人接"
    assert PHONE in (await house.get(f"/tickets/{number}"))["title"], "a clerk must be able to read it"
    async with house.db.reading() as session:
        assert all(PHONE not in text for text in await session.scalars(select(Message.text)))


async def test_the_second_ticket_of_one_message_is_a_matter_of_its_own(house):
    conversation, matter = await house.open_conversation()
    body = {"kind": "request", "description": "6栋电梯坏了", "resident": {}}

    async def register(description, key):
        return await house.post("/tickets", body | {"description": description}, "assistant", 201,
                                X_Huiyin_Matter=str(matter), Idempotency_Key=key)

    first, second = await register("6栋电梯坏了", "9:action_register:1"), await register("楼下垃圾没人清", "9:action_register:2")
    again = await register("楼下垃圾没人清", "9:action_register:2")
    assert first["number"] != second["number"] == again["number"]
    async with house.db.reading() as session:
        query = select(Matter.ordinal, Ticket.number).join(Ticket, Ticket.id == Matter.ticket_id).order_by(Matter.ordinal)
        found = (await session.execute(query.where(Matter.conversation_id == conversation))).all()
    assert [tuple(row) for row in found] == [(1, first["number"]), (2, second["number"])]
