"""WeChat through the whole service: codes and menus, the budget, the window, notices, files of a reply."""

import asyncio
import io
import os
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select, update
from typer.testing import CliRunner

from channels.wechat import WeChatWindow
from core import clock, queues
from core.conversation import Conversation
from core.message import OutboundMessage
from core.queues import Inbox, Outbox
from service import cli, reminders, scenes
from service.delivery import deliver
from tests.fakes.wechat import FakeWeChat
from tests.service.house import House

FOLLOWER = "oFollower_0001"


async def heard(house: House, platform: FakeWeChat, reply: str | None, count: int = 1) -> str:
    """What the follower reads: the passive reply, else what came by messages of its own."""
    if reply is not None:
        return reply

    async def arrived() -> list[str]:
        texts = platform.texts(FOLLOWER)
        return texts if len(texts) >= count else []

    return "\n".join(await house.until(arrived))


# Codes and menus.


async def hang_poster(house: House, kind: str = "complaint") -> None:
    async with house.db.writing() as session:
        await scenes.remember(session, "main", "lift-3", "3号电梯", kind, clock.now())


async def test_a_poster_in_lift_3_opens_a_complaint_about_lift_3(followed: House, wechat: FakeWeChat):
    await hang_poster(followed)
    reply = await wechat.acts(FOLLOWER, "SCAN", "lift-3")
    turn = followed.rasa.turns[-1]
    assert (turn["message"], turn["metadata"]["place"]) == ("我要投诉", "3号电梯")
    talk = (await followed.get("/conversations"))["items"][0]["id"]
    shown = (await followed.get(f"/messages?conversation={talk}"))["items"][0]
    assert shown["text"] == "（扫了3号电梯的二维码）我要投诉"
    assert "您好" in await heard(followed, wechat, reply)


async def test_who_follows_through_the_poster_is_welcomed_and_opens_it_too(followed: House, wechat: FakeWeChat):
    await hang_poster(followed, "request")
    reply = await wechat.acts(FOLLOWER, "subscribe", "qrscene_lift-3")
    text = await heard(followed, wechat, reply)
    turn = followed.rasa.turns[-1]
    assert (turn["message"], turn["metadata"]["place"]) == ("我要报修", "3号电梯")
    assert "这里是" in text and text.endswith("您好")


@pytest.mark.parametrize(
    ("event", "key"), [("SCAN", "nobody-knows"), ("CLICK", "OLD_BUTTON"), ("subscribe", ""), ("subscribe", "qrscene_x")]
)
async def test_a_code_or_button_of_somebody_else_is_welcomed(
    followed: House, wechat: FakeWeChat, event: str, key: str
):
    reply = await wechat.acts(FOLLOWER, event, key)
    assert "这里是" in await heard(followed, wechat, reply)
    assert followed.rasa.turns == []


async def test_a_button_of_ours_says_its_words(followed: House, wechat: FakeWeChat):
    await wechat.acts(FOLLOWER, "CLICK", "say:我要报修")
    assert followed.rasa.turns[-1]["message"] == "我要报修"


async def test_while_the_assistant_is_away_a_scan_makes_no_ticket(followed: House, wechat: FakeWeChat):
    await hang_poster(followed)
    followed.rasa.is_away = True
    reply = await wechat.acts(FOLLOWER, "SCAN", "lift-3")
    assert "请直接说说" in await heard(followed, wechat, reply)
    assert (await followed.get("/tickets"))["items"] == []


async def test_a_file_that_wechat_keeps_to_itself_is_named_and_words_are_asked_for(
    followed: House, wechat: FakeWeChat
):
    xml = wechat.message(FOLLOWER, "file", "<Title><![CDATA[账单.pdf]]></Title><FileTotalLen>2048</FileTotalLen>")
    reply = await wechat.deliver(FOLLOWER, xml)
    assert "文字" in await heard(followed, wechat, reply)
    talk = (await followed.get("/conversations"))["items"][0]["id"]
    item = (await followed.get(f"/messages?conversation={talk}"))["items"][0]
    assert item["attachments"][0]["name"] == "账单.pdf"


# The commands.


def run_command(platform: FakeWeChat, folder: Path, *words: str, **more: str) -> Any:
    keys = platform.keys
    values = {"APP_ID": keys.app_id, "APP_SECRET": keys.secret, "TOKEN": keys.token, "MODE": "plain",
              "API_BASE": platform.url}
    environ = {f"HUIYIN__WECHAT__ACCOUNTS__MAIN__{name}": value for name, value in values.items()}
    return CliRunner().invoke(cli.app, list(words), env=environ | {"HUIYIN__DATA_DIR": str(folder)} | more)


async def test_the_menu_command_gives_the_platform_a_menu_it_takes(wechat: FakeWeChat, tmp_path: Path):
    result = await asyncio.to_thread(run_command, wechat, tmp_path, "wechat", "menu")
    assert result.exit_code == 0, result.output
    lines = [inner for button in wechat.menus[0]["button"] for inner in button.get("sub_button", [button])]
    assert {line["type"] for line in lines} == {"click"}  # Without a public address no button leads anywhere.
    public = {"HUIYIN__WEB__PUBLIC_URL": "https://office.example/"}
    result = await asyncio.to_thread(run_command, wechat, tmp_path, "wechat", "menu", **public)
    assert wechat.menus[1]["button"][2]["url"] == "https://office.example/progress"


async def test_the_qrcode_command_draws_a_code_and_remembers_its_place(wechat: FakeWeChat, tmp_path: Path):
    out = tmp_path / "lift.png"
    words = ("wechat", "qrcode", "lift-3", "--place", "3号电梯", "--out", str(out))
    result = await asyncio.to_thread(run_command, wechat, tmp_path, *words)
    assert result.exit_code == 0, result.output
    assert wechat.scenes == ["lift-3"] and Image.open(io.BytesIO(out.read_bytes())).width > 200


@pytest.mark.parametrize(
    "words",
    [("wechat", "qrcode", "x", "--account", "none"), ("wechat", "qrcode", "x", "--kind", "party"),
     ("wechat", "qrcode", "x" * 65), ("wechat", "qrcode", "x", "--out", "x.gif")],
)
async def test_a_wrong_command_changes_nothing(wechat: FakeWeChat, tmp_path: Path, words: tuple[str, ...]):
    result = await asyncio.to_thread(run_command, wechat, tmp_path, *words)
    assert result.exit_code != 0 and wechat.scenes == []


# The window and the budget.


async def ticket_of_follower(house: House, platform: FakeWeChat, **fields: Any) -> str:
    """A ticket whose resident wrote on WeChat."""
    await platform.says(FOLLOWER, "路灯坏了")
    await house.runtime.channels["wechat", "main"].left(FOLLOWER, clock.now())  # His window is on disk now.

    async def answered() -> bool:
        rows = (await house.get("/outbox"))["items"]
        return bool(rows) and all(row["status"] == "done" for row in rows)

    assert await house.until(answered)  # Nothing is in hand when the clock is moved.
    number = (await house.register(resident={"name": "林小雨"}, **fields))["number"]
    from ticketing.model import Ticket

    async with house.db.writing() as session:
        talk = await session.scalar(select(Conversation).where(Conversation.address == f"wechat:{FOLLOWER}"))
        values = {"conversation_id": talk.id, "resident_id": talk.resident_id, "channel": "wechat"}
        await session.execute(update(Ticket).where(Ticket.number == number).values(**values))
    return number


async def test_at_44_hours_who_is_owed_an_answer_is_asked_once_to_keep_the_window_open(
    followed: House, wechat: FakeWeChat
):
    number = await ticket_of_follower(followed, wechat)
    begun = clock.now()
    followed.move_clock((begun + timedelta(hours=43)).isoformat())
    await reminders.remind_due(followed.runtime)
    assert not [text for text in wechat.texts(FOLLOWER) if "48 小时" in text]
    followed.move_clock((begun + timedelta(hours=44, minutes=1)).isoformat())
    await asyncio.gather(*(reminders.remind_due(followed.runtime) for _ in range(3)))

    async def asked() -> list[str]:
        return [text for text in wechat.texts(FOLLOWER) if "48 小时" in text]

    (text,) = await followed.until(asked)
    assert number in text
    await reminders.remind_due(followed.runtime)
    await asyncio.sleep(0.3)
    assert len(await asked()) == 1


async def test_who_is_owed_nothing_is_not_asked(followed: House, wechat: FakeWeChat):
    number = await ticket_of_follower(followed, wechat)
    await followed.do(number, "withdraw", reason="已经修好了")
    followed.move_clock((clock.now() + timedelta(hours=45)).isoformat())
    await reminders.remind_due(followed.runtime)
    async with followed.db.reading() as session:
        asked = await session.scalar(select(func.count()).select_from(Outbox).where(Outbox.origin == "notice"))
    assert asked == 0


async def test_when_he_writes_the_window_is_another_and_may_be_asked_for_again(followed: House, wechat: FakeWeChat):
    await ticket_of_follower(followed, wechat)
    async with followed.db.writing() as session:
        await session.execute(update(WeChatWindow).values(reminded=True))
    await wechat.says(FOLLOWER, "继续等")
    await followed.runtime.channels["wechat", "main"].left(FOLLOWER, clock.now())
    async with followed.db.reading() as session:
        assert await session.scalar(select(WeChatWindow.reminded).where(WeChatWindow.kind == "message")) is False


async def test_what_has_too_few_messages_left_is_said_in_one(followed: House, wechat: FakeWeChat):
    await wechat.says(FOLLOWER, "你好")
    channel = followed.runtime.channels["wechat", "main"]
    await channel.left(FOLLOWER, clock.now())
    async with followed.db.writing() as session:
        await session.execute(update(WeChatWindow).values(left=2))
        rows = []
        for number in range(4):
            message = OutboundMessage("wechat", "main", FOLLOWER, f"第{number}句", "staff")
            rows.append(queues.enqueue(session, message, clock.now() + timedelta(days=1)))
        await session.flush()
        ids = [row.id for row in rows]
    # Claimed by hand, so that all four wait at the same moment.
    async with followed.db.writing() as session:
        await session.execute(update(Outbox).where(Outbox.id.in_(ids)).values(scheduled_at=clock.now()))
        assert await queues.claim_row(session, Outbox, ids[0], "hand", clock.now())
        first = await session.get_one(Outbox, ids[0], populate_existing=True)
        session.expunge(first)
    before = len(wechat.sent)
    await deliver(followed.runtime, first, "hand")

    async def all_done() -> bool:
        async with followed.db.reading() as session:
            done = select(func.count()).select_from(Outbox).where(Outbox.id.in_(ids), Outbox.result == "sent")
            return await session.scalar(done) == 4

    assert await followed.until(all_done)
    said = [body["text"]["content"] for body in wechat.sent[before:]]
    assert "".join(said).count("句") == 4 and len(said) <= 2


async def test_what_the_closed_window_kept_back_is_said_once_when_he_writes_again(
    followed: House, wechat: FakeWeChat
):
    await wechat.says(FOLLOWER, "转人工")
    talk = (await followed.get("/conversations"))["items"][0]["id"]
    await followed.runtime.channels["wechat", "main"].left(FOLLOWER, clock.now())
    async with followed.db.writing() as session:
        await session.execute(update(WeChatWindow).values(closes_at=clock.now()))
    for text in ("我来看看", "明天上午去"):
        await followed.post(f"/conversations/{talk}/messages", {"text": text}, status=201)

    async def kept_back() -> bool:
        rows = (await followed.get("/outbox"))["items"]
        return [row["result"] for row in rows if row["text"] in ("我来看看", "明天上午去")] == ["handed_on"] * 2

    assert await followed.until(kept_back)
    for _ in range(2):
        await wechat.says(FOLLOWER, "在吗")

    async def said() -> list[str]:
        return [text for text in wechat.texts(FOLLOWER) if "我来看看" in text]

    (text,) = await followed.until(said)
    assert text == "之前没能发给您的话：\n我来看看\n\n明天上午去"
    await asyncio.sleep(0.3)
    assert len(await said()) == 1


async def test_a_notice_that_did_not_arrive_goes_on_with_the_plan(followed: House, wechat: FakeWeChat):
    number = await ticket_of_follower(followed, wechat)
    wechat.windows[FOLLOWER].closes = 0
    async with followed.db.writing() as session:
        await session.execute(update(WeChatWindow).values(closes_at=clock.now()))
    await followed.work(number)

    async def announced() -> Any:
        replies = (await followed.get(f"/tickets/{number}"))["replies"]
        return next((item for item in replies[-1]["deliveries"] if item["status"] == "announced"), None)

    notice = await followed.until(announced)
    assert (await followed.get("/call-backs?status=open"))["items"] == []
    event = (
        f"<xml><ToUserName>gh_office</ToUserName><FromUserName>{FOLLOWER}</FromUserName><CreateTime>1764000000"
        "</CreateTime><MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event>"
        f"<MsgID>{notice['platform_id']}</MsgID><Status>failed:user block</Status></xml>"
    )
    assert (await wechat.post(*wechat.wrap(event))).body == "success"

    async def to_be_called() -> Any:
        return (await followed.get("/call-backs?status=open"))["items"]

    assert [item["ticket"] for item in await followed.until(to_be_called)] == [number]


# Files of a reply.


async def upload(house: House, content: bytes, name: str) -> int:
    response = await house.call("POST", f"/attachments?name={name}", "officer", content)
    assert response.status == 201
    return (await response.json())["id"]


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (20, 20), "green").save(written, "PNG")
    return written.getvalue()


async def test_a_reply_s_picture_is_shown_and_its_paper_is_named_with_the_page(followed: House, wechat: FakeWeChat):
    number = await ticket_of_follower(followed, wechat, category="repairs-public")
    files = [await upload(followed, picture(), "after.png"), await upload(followed, b"%PDF-1.4 bill", "bill.pdf")]
    await followed.do(number, "accept")
    await followed.do(number, "assign", department="engineering")
    body = {"findings": "upheld", "action_taken": "换了灯泡", "reply": "路灯已修好。", "attachments": files}
    await followed.do(number, "submit", "engineer", 422, **body)  # another officer uploaded them
    await followed.do(number, "submit", "officer", **body)
    if (await followed.get(f"/tickets/{number}"))["state"] == "in_approval":
        await followed.do(number, "approve", "supervisor")

    async def shown() -> Any:
        return [item for item in wechat.sent if item["msgtype"] == "image"]

    (image,) = await followed.until(shown)
    assert wechat.media[image["image"]["media_id"]] == ("image/png", picture())
    text = next(text for text in wechat.texts(FOLLOWER) if "路灯已修好" in text)
    assert "附件：bill.pdf" in text
    page = text[text.index("/r/") :].split()[0]
    response = await followed.client.get(page)
    assert "bill.pdf" in await response.text()
    assert await (await followed.client.get(f"{page}/files/{files[1]}")).read() == b"%PDF-1.4 bill"
    assert (await followed.client.get(f"{page}/files/9999")).status == 404
    assert (await followed.client.get(f"/r/1-made-up/files/{files[1]}")).status == 404
    assert (await followed.call("GET", f"/attachments/{files[1]}", "supervisor")).status == 200


async def test_a_letter_is_named_with_its_page_where_the_platform_shows_no_papers(
    followed: House, wechat: FakeWeChat
):
    await followed.do(await ticket_of_follower(followed, wechat, category="repairs-public"), "accept")

    async def said() -> list[str]:
        return [text for text in wechat.texts(FOLLOWER) if "受理凭证" in text]

    (text,) = await followed.until(said)
    assert "附件：受理通知书_物服受字〔2026〕1号.pdf" in text
    response = await followed.client.get(text[text.index("/r/") :].split()[0])
    assert response.status == 200 and "物服受字〔2026〕1号" in await response.text()


# Many at once.

MANY = int(os.environ.get("HUIYIN_MANY", "200"))
"""How many messages."""
FOLLOWERS = max(50, MANY // 4)
"""So many that nobody is owed more answers than the platform's window allows."""


async def test_each_of_many_messages_brought_three_times_is_stored_and_answered_once(
    followed: House, wechat: FakeWeChat
):
    wechat.keeps_windows = False
    followed.rasa.reply = lambda turn: [{"text": f"答：{turn['message']}"}]
    passive: list[str] = []
    line: asyncio.Queue[tuple[dict[str, str], str]] = asyncio.Queue()

    async def bring() -> None:
        while not line.empty():
            item = line.get_nowait()
            attempt = await wechat.post(*item)
            if attempt.status != 200:  # The platform tries again what was not acknowledged.
                line.put_nowait(item)
            elif reply := wechat.read_reply(attempt.body):
                passive.append(reply)

    for first in range(0, MANY, 100):
        numbers = range(first, min(first + 100, MANY))
        wrapped = [
            wechat.wrap(wechat.message(f"oMany_{n % FOLLOWERS:05}", "text", f"<Content>第{n}条</Content>", n + 1))
            for n in numbers
        ]
        for item in wrapped * 3:
            line.put_nowait(item)
        await asyncio.gather(*(bring() for _ in range(8)))

    def said() -> Counter[str]:
        sent = [body["text"]["content"] for body in wechat.sent]
        return Counter(part for text in [*passive, *sent] for part in text.split("\n\n"))

    for _ in range(40 * MANY):
        if sum(said().values()) >= MANY:
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    assert said() == Counter(f"答：第{number}条" for number in range(MANY))
    async with followed.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Inbox)) == MANY
