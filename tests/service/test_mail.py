"""Mail through the whole service: threads, copies, returned mail, machines and loops, as residents notice them."""

import asyncio
import email
import email.policy
import io
import smtplib
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pdfplumber
import pytest
from sqlalchemy import select, update

from core import clock
from core.conversation import Matter
from core.errors import Misconfigured
from core.queues import Inbox, Outbox
from service import sign_in
from tests.fakes.smtp import FakeMailServer
from tests.service.house import NEEDS_APPROVAL, WORKDAY, House, open_house
from ticketing import staff as staff_table

OFFICE, REPAIRS = "office@yunxi.example", "repairs@yunxi.example"
WANG, LI = "wang@resident.example", "li@resident.example"
TOKEN = "token-of-the-mailboxes"
SHARED = Path(__file__).parents[3] / "shared" / "data"


@dataclass
class Post:
    """The office's mail server: what comes in, what went out."""

    house: House
    smtp: FakeMailServer

    async def bring(self, mail: EmailMessage | bytes, box: str = "office") -> int:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        raw = mail if isinstance(mail, bytes) else bytes(mail)
        response = await self.house.client.post(f"/channels/email/{box}", data=raw, headers=headers)
        return response.status

    async def settle(self, patience: int = 1) -> None:
        """Until nothing waits in either queue."""
        async def is_quiet() -> bool:
            async with self.house.db.reading() as session:
                for table in (Inbox, Outbox):
                    if await session.scalar(select(table.id).where(table.status.in_(("todo", "doing"))).limit(1)):
                        return False
            return True

        for _ in range(patience):
            with suppress(AssertionError):
                await self.house.until(is_quiet)
                return
        raise AssertionError("something waits for ever")

    async def send(self, mail: EmailMessage | bytes, box: str = "office") -> None:
        assert await self.bring(mail, box) in (200, 202)
        await self.settle()

    def out(self, to: str = WANG) -> list[EmailMessage]:
        read = [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.smtp.mails]
        return [mail for mail in read if mail["To"] == to]  # type: ignore[misc]

    async def tickets(self) -> list[dict[str, Any]]:
        return (await self.house.get("/tickets?limit=200"))["items"]

    async def change(self, table: Any, row_id: int, **values: Any) -> None:
        async with self.house.db.writing() as session:
            await session.execute(update(table).where(table.id == row_id).values(**values))

    async def rows(self, table: Any) -> list[Any]:
        async with self.house.db.reading() as session:
            found = list(await session.scalars(select(table).order_by(table.id)))
            session.expunge_all()
            return found


def write(text: str, number: int = 1, sender: str = WANG, subject: str = "路灯", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    fields = {"From": sender, "To": OFFICE, "Subject": subject, "Message-ID": f"<m{number}@resident.example>"}
    for name, value in (fields | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        mail[name] = value
    mail.set_content(text)
    return mail


def words(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content().strip()  # type: ignore[union-attr]


async def register(house: House, turn: dict[str, Any]) -> list[dict[str, Any]]:
    """As the assistant's own action does."""
    matter, message = str(turn["metadata"]["matter"]), str(turn["metadata"]["message"])
    headers = {"X_Huiyin_Matter": matter, "X_Huiyin_Message": message, "Idempotency_Key": f"{message}:register:1"}
    body = {"kind": "complaint", "category": NEEDS_APPROVAL, "description": turn["message"], "resident": {}}
    ticket = await house.post("/tickets", body, "assistant", 201, **headers)
    return [{"text": f"已登记，工单号 {ticket['number']}，查询码 {ticket['code']}。"}]


@pytest.fixture
async def post(tmp_path: Path, empty_database: Path) -> AsyncIterator[Post]:
    """An office with two mailboxes, whose assistant makes a ticket of each mail."""
    smtp = FakeMailServer()
    await smtp.start()
    side = {"token": TOKEN, "smtp_host": "127.0.0.1", "smtp_port": smtp.port, "smtp_security": "none"}
    boxes = {"office": {"address": OFFICE, **side}, "repairs": {"address": REPAIRS, **side}}
    house, close = await open_house(tmp_path, empty_database, email={"mailboxes": boxes})
    house.move_clock(WORKDAY)
    house.rasa.reply = lambda turn: register(house, turn)
    yield Post(house, smtp)
    await close()
    await smtp.close()


async def registered(post: Post, text: str = "南门的路灯不亮", number: int = 1, **more: Any) -> str:
    """A mail that became a ticket: its number."""
    before = {item["number"] for item in await post.tickets()}
    await post.send(write(text, number, **more))
    (new,) = {item["number"] for item in await post.tickets()} - before
    return new


async def test_a_receipt_carries_the_subject_the_number_and_the_thread(post: Post):
    number = await registered(post)
    (receipt,) = post.out()
    assert receipt["Subject"] == f"Re: 路灯 [{number}]"
    assert receipt["In-Reply-To"] == receipt["References"] == "<m1@resident.example>"
    assert receipt["Auto-Submitted"] == "auto-replied" and number in words(receipt)
    assert receipt["From"].addresses[0].addr_spec == OFFICE  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("subject", "title"), [("南门的路灯坏了半年", "南门的路灯坏了半年"), ("投诉", "路灯一直不亮，请来修")], ids=str
)
async def test_a_ticket_is_called_by_its_mails_subject_where_that_says_something(post: Post, subject: str, title: str):
    await registered(post, "您好：\n路灯一直不亮，请来修。谢谢！", subject=subject)
    (ticket,) = await post.tickets()
    assert ticket["title"] == title


def by_reference(post: Post, _number: str) -> dict[str, str]:
    return {"In_Reply_To": post.out()[0]["Message-ID"], "References": f"<m1@resident.example> {post.out()[0]['Message-ID']}"}


def by_our_id_alone(post: Post, _number: str) -> dict[str, str]:
    return {"In_Reply_To": post.out()[0]["Message-ID"], "subject": "Re"}


def by_his_own_id(_post: Post, _number: str) -> dict[str, str]:
    return {"References": "<m1@resident.example>"}


def by_subject(_post: Post, number: str) -> dict[str, str]:
    return {"subject": f"关于工单{number.lower()}"}


def by_plus_address(_post: Post, number: str) -> dict[str, str]:
    return {"To": f"office+{number.lower()}@yunxi.example", "subject": "补充"}


@pytest.mark.parametrize("way", [by_reference, by_our_id_alone, by_his_own_id, by_subject, by_plus_address])
async def test_a_second_mail_joins_its_ticket(post: Post, way: Any):
    number = await registered(post)
    await post.send(write("就是三号灯柱那一盏", 2, **way(post, number)))
    (ticket,) = await post.tickets()
    assert [step["verb"] for step in ticket["transitions"]] == ["register", "supplement"]
    assert number in words(post.out()[-1]) and len(post.out()) == 2


async def test_what_the_second_mail_gives_is_the_resident_s_and_is_read_back(post: Post):
    number = await registered(post)
    text = "我是她女儿赵琳，电话13868001212，别让他们知道是我说的。"
    await post.send(write(text, 2, **by_subject(post, number)))
    (ticket,) = await post.tickets()
    answer = words(post.out()[-1])
    assert "联系电话：13868001212" in answer and "称呼：赵琳" in answer and "保密件" in answer
    assert ticket["confidential"] is True


async def test_two_people_with_one_subject_stay_two(post: Post):
    first = await registered(post, "南门的路灯不亮", 1)
    second = await registered(post, "北门的路灯不亮", 2, sender=LI, subject=f"Re: 路灯 {first}", In_Reply_To="<m1@resident.example>")
    assert first != second
    assert [step["verb"] for step in (await post.house.get(f"/tickets/{first}"))["transitions"]] == ["register"]


async def test_nobody_writes_into_another_s_ticket_by_naming_its_number(post: Post):
    number = await registered(post)
    answered = post.out()[0]["Message-ID"]
    await post.send(write("请撤销", 2, sender=LI, subject=f"Re: {number}", In_Reply_To=answered))
    ticket = await post.house.get(f"/tickets/{number}")
    assert [step["verb"] for step in ticket["transitions"]] == ["register"]


async def test_a_mail_to_two_departments_is_one_ticket_with_one_receipt(post: Post):
    mail = write("南门的路灯不亮", To=f"{OFFICE}, {REPAIRS}")
    await asyncio.gather(post.bring(mail, "office"), post.bring(mail, "repairs"))
    await post.settle()
    assert len(await post.tickets()) == 1 and len(post.out()) == 1
    assert [row.status for row in await post.rows(Inbox)] == ["done", "done"]


async def test_two_complaints_of_one_morning_are_two_tickets(post: Post):
    assert await registered(post, "南门的路灯不亮", 1) != await registered(post, "电梯停了", 2, subject="电梯")


async def test_what_is_said_to_a_merged_ticket_reaches_the_one_that_goes_on(post: Post):
    first = await registered(post, "南门的路灯不亮", 1)
    second = await registered(post, "南门的路灯还是不亮", 2, sender=LI)
    await post.house.do(first, "merge", into=second)
    await post.settle()
    await post.send(write("三号灯柱", 3, In_Reply_To="<m1@resident.example>"))
    ticket = await post.house.get(f"/tickets/{second}")
    assert ticket["transitions"][-1]["verb"] == "supplement"
    assert second in words(post.out()[-1])


async def replied(post: Post) -> str:
    number = await registered(post)
    await post.house.work(number)
    await post.settle()
    return number


async def test_a_reply_is_sent_in_the_thread_as_a_person_s(post: Post):
    number = await replied(post)
    reply = post.out()[-1]
    assert "多收的停车费已原路退回" in words(reply) and number in reply["Subject"]
    assert reply["In-Reply-To"] == "<m1@resident.example>" and reply["Auto-Submitted"] == "no"
    assert (await post.house.get(f"/tickets/{number}"))["state"] == "replied"


@pytest.mark.parametrize("closed", [False, True], ids=["replied", "closed"])
async def test_an_objection_after_the_reply_reaches_a_person(post: Post, closed: bool):
    number = await replied(post)
    if closed:
        await post.house.do(number, "close", "officer")
    await post.send(write("没有修好", 5, In_Reply_To=post.out()[-1]["Message-ID"]))
    (call,) = (await post.house.get(f"/call-backs?ticket={number}"))["items"]
    assert call["status"] == "open" and "没有修好" in call["text"]
    assert number in words(post.out()[-1]) and len(await post.tickets()) == 1


async def test_thanks_are_kept_and_not_answered(post: Post):
    await replied(post)
    sent = len(post.out())
    await post.send(write("谢谢你们！", 5, In_Reply_To=post.out()[-1]["Message-ID"]))
    assert len(post.out()) == sent and (await post.house.get("/call-backs"))["items"] == []


async def test_after_a_withdrawal_the_same_thread_is_a_new_matter(post: Post):
    number = await registered(post)
    await post.house.do(number, "withdraw")
    await post.settle()
    await post.send(write("还是请修一下", 2, References="<m1@resident.example>"))
    await post.send(write("三号灯柱", 3, References="<m1@resident.example> <m2@resident.example>"))
    assert len(await post.tickets()) == 2


async def test_a_question_about_the_ticket_goes_to_the_assistant(post: Post):
    await registered(post)
    post.house.rasa.parsed = {"intent": {"name": "ask_status", "confidence": 0.9}, "entities": []}
    post.house.rasa.reply = lambda turn: [{"text": "正在办理。"}]
    await post.send(write("办到哪一步了？", 2, References="<m1@resident.example>"))
    assert words(post.out()[-1]) == "正在办理。"
    (ticket,) = await post.tickets()
    assert [step["verb"] for step in ticket["transitions"]] == ["register"]


# What comes back.


def dsn(mail: EmailMessage, *, action: str = "failed", status: str = "5.1.1", by_id: bool = True) -> bytes:
    returned = f"Message-ID: {mail['Message-ID']}\r\nSubject: x\r\n" if by_id else "Subject: x\r\n"
    return (
        "From: MAILER-DAEMON@mx.resident.example\r\nTo: office@yunxi.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "Message-ID: <dsn1@mx>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nwang@resident.example: user unknown\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"Final-Recipient: rfc822; {WANG}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}\r\n--b--\r\n"
    ).encode()


def chinese_return(mail: EmailMessage) -> bytes:
    body = (
        f"抱歉，您的邮件被退回来了……\n原邮件信息：\n主题：{mail['Subject']}\n收件人：{WANG}\n"
        "退信原因：收件人邮件地址不存在，邮件无法送达。"
    )
    head = "From: postmaster@resident.example\r\nTo: office@yunxi.example\r\nSubject: =?gb18030?B?z7XNs83L0MU=?=\r\n"
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}".encode()


@pytest.mark.parametrize("returned", [dsn, chinese_return], ids=["RFC 3464", "系统退信"])
async def test_a_bounce_sends_the_reply_on_by_the_next_step(post: Post, returned: Any):
    number = await replied(post)
    await post.send(returned(post.out()[-1]))
    ticket = await post.house.get(f"/tickets/{number}")
    (delivery,) = [one for one in ticket["replies"][0]["deliveries"] if one["channel"] == "email"]
    assert delivery["status"] == "failed" and "bounced" in delivery["error"]
    assert (await post.house.get(f"/call-backs?ticket={number}"))["items"][0]["status"] == "open"
    await post.house.do(number, "close", "officer", status=409)
    assert ticket["state"] == "replied"


async def test_a_bounce_comes_back_to_the_address_that_names_its_mail(tmp_path: Path, empty_database: Path):
    smtp = FakeMailServer()
    await smtp.start()
    box = {"address": OFFICE, "token": TOKEN, "smtp_host": "127.0.0.1", "smtp_port": smtp.port, "smtp_security": "none",
           "plus_addresses": True}
    house, close = await open_house(tmp_path, empty_database, email={"mailboxes": {"office": box}})
    house.move_clock(WORKDAY)
    house.rasa.reply = lambda turn: register(house, turn)
    post = Post(house, smtp)
    number = await replied(post)
    returned = dsn(post.out()[-1], by_id=False).replace(OFFICE.encode(), smtp.senders[-1].encode())
    forged = returned.replace(b"+bounce-", b"+bounce-0")
    for raw in (forged.replace(b"<dsn1", b"<dsn0"), returned):
        await post.send(raw)
    failed = [row for row in await post.rows(Outbox) if row.result == "failed"]
    assert [row.origin for row in failed] == ["reply"] and number in post.out()[-1]["Reply-To"]
    await close()
    await smtp.close()


@pytest.mark.parametrize(
    "report", [{"action": "delayed", "status": "4.4.1"}, {"action": "delivered", "status": "2.0.0"}], ids=["delayed", "delivered"]
)
async def test_a_delay_or_a_success_changes_nothing(post: Post, report: dict[str, str]):
    number = await replied(post)
    await post.send(dsn(post.out()[-1], **report))
    assert {row.result for row in await post.rows(Outbox)} == {"sent"}
    assert (await post.house.get(f"/call-backs?ticket={number}"))["items"] == []


async def test_the_same_bounce_twice_goes_on_once(post: Post):
    number = await replied(post)
    raw = dsn(post.out()[-1])
    await post.send(raw)
    await post.send(raw.replace(b"<dsn1", b"<dsn2"))
    assert len((await post.house.get(f"/call-backs?ticket={number}"))["items"]) == 1


async def test_a_bounce_with_a_made_up_mark_changes_nothing(post: Post):
    await replied(post)
    raw = dsn(post.out()[-1])
    seal = post.out()[-1]["Message-ID"].split(".")[2][:12].encode()
    await post.send(raw.replace(seal, b"0" * 12))
    assert {row.result for row in await post.rows(Outbox)} == {"sent"}


async def test_a_bounce_that_is_faster_than_our_own_record_is_not_lost(post: Post):
    await replied(post)
    raw = dsn(post.out()[-1])
    reply = next(row for row in await post.rows(Outbox) if row.origin == "reply")
    later = clock.now() + timedelta(hours=1)
    await post.change(Outbox, reply.id, status="todo", result=None, scheduled_at=later)
    await post.bring(raw)

    async def is_put_back() -> bool:
        return "still being sent" in str((await post.rows(Inbox))[-1].last_error)

    await post.house.until(is_put_back)
    await post.change(Outbox, reply.id, status="done", result="sent")
    await post.settle()
    assert [row.result for row in await post.rows(Outbox) if row.id == reply.id] == ["failed"]


async def test_a_mail_that_is_handled_again_after_a_crash_adds_nothing_to_its_own_ticket(post: Post):
    number = await registered(post)
    await post.change(Inbox, 1, status="todo", done_at=None, claimed_by=None)
    await post.settle()
    (ticket,) = await post.tickets()
    assert ticket["number"] == number and [step["verb"] for step in ticket["transitions"]] == ["register"]


async def test_returned_mail_opens_no_conversation(post: Post):
    await replied(post)
    before = len((await post.house.get("/conversations"))["items"])
    await post.send(dsn(post.out()[-1]))
    assert len((await post.house.get("/conversations"))["items"]) == before


# Machines.


MACHINES = [
    pytest.param({"Auto_Submitted": "auto-replied"}, id="out of office"),
    pytest.param({"subject": "自动回复：路灯"}, id="自动回复"),
    pytest.param({"List_Id": "<news.example>"}, id="a list"),
    pytest.param({"Precedence": "bulk"}, id="bulk"),
    pytest.param({"X_Spam_Status": "Yes, score=9.1"}, id="spam"),
    pytest.param({"X_Huiyin_Office": "1"}, id="our own mail"),
    pytest.param({"Return_Path": "<>"}, id="the null sender"),
    pytest.param({"sender": "no-reply@shop.example"}, id="nobody reads it"),
]


@pytest.mark.parametrize("headers", MACHINES)
async def test_a_machine_gets_no_answer_and_no_ticket(post: Post, headers: dict[str, str]):
    await post.send(write("您好，我已收到您的邮件。", **headers))
    assert post.smtp.mails == [] and await post.tickets() == []
    (row,) = await post.rows(Inbox)
    assert row.status == "done" and row.raw


async def test_an_unmarked_responder_is_answered_once(post: Post):
    """It answers each of our mails with the same words and no sign that it is a machine."""
    await post.send(write("您的来信我已收到。", 1))
    for number in range(2, 8):
        last = post.out()[-1]
        await post.send(write("您的来信我已收到。", number, subject=f"Re: {last['Subject']}", In_Reply_To=last["Message-ID"]))
    assert len(post.out()) == 1 and len(await post.tickets()) == 1
    assert {row.status for row in await post.rows(Inbox)} == {"done"}


async def test_who_writes_very_much_gets_one_receipt_an_hour_and_every_ticket(post: Post):
    for number in range(16):
        await post.send(write(f"第{number}件事：楼道灯不亮", number, subject=f"第{number}件"))
    assert len(await post.tickets()) == 16
    assert len(post.out()) == 10
    post.house.move_clock("2026-11-25T12:30:00+08:00")
    await post.send(write("又一件事", 99, subject="又一件"))
    assert len(post.out()) == 11


async def test_a_mail_sent_twice_is_one_matter(post: Post):
    await post.send(write("南门的路灯不亮", 1))
    await post.send(write("南门的路灯不亮", 2))
    assert len(await post.tickets()) == 1 and len(post.out()) == 1
    assert len({matter.id for matter in await post.rows(Matter)}) == 1


async def test_a_short_word_in_two_threads_is_no_repetition(post: Post):
    await post.send(write("是", 1, subject="电梯"))
    await post.send(write("是", 2, subject="路灯"))
    assert len(await post.tickets()) == 2


@pytest.mark.skipif(not SHARED.exists(), reason="the folder ../shared/data is not here")
async def test_every_public_mail_is_kept_whole_and_taken_to_its_end_or_set_aside(post: Post):
    files = [path for folder in ("mail", "bounces") for path in sorted((SHARED / folder).rglob("*")) if path.is_file()]
    raws = [path.read_bytes() for path in files if not path.name.startswith(".")]
    statuses = [await post.bring(raw) for raw in raws]
    await post.settle(patience=30)
    rows = await post.rows(Inbox)
    kept = {row.raw for row in rows}
    assert set(statuses) <= {200, 202} and statuses.count(202) == len(rows)
    assert all(raw in kept for raw, status in zip(raws, statuses, strict=True) if status == 202)
    assert {row.status for row in rows} <= {"done", "set_aside"}
    aside = [row for row in rows if row.status == "set_aside"]
    assert len(aside) < len(rows) / 10
    machines = {row.sender for row in rows if row.facts.get("automatic") in ("bounce", "auto_reply")}
    answered = {mail["To"] for mail in (email.message_from_bytes(raw) for raw in post.smtp.mails)}
    assert not machines & answered


# The whole mail, for staff.


async def sign_in_as(post: Post, *roles: str, department: str | None = None) -> None:
    async with post.house.db.writing() as session:
        await staff_table.add(session, "cai", list(roles), department, None, clock.now())
        token = await sign_in.make_link(session, "cai", clock.now())
    page = await post.house.client.post("/staff/enter", data={"token": token})
    assert page.status == 200, await page.text()


async def test_the_whole_mail_is_one_click_away_from_the_resident_s_own_words(post: Post):
    await sign_in_as(post, "clerk")
    mail = write("还是不亮。\n\n在 2026年11月20日，10:21，云溪物业 <office@yunxi.example> 写道：\n> 请问<b>哪一盏</b>？\n")
    await post.send(mail)
    (row,) = await post.rows(Inbox)
    assert row.text == "还是不亮。"
    conversation = await (await post.house.client.get(f"/staff/conversations/{row.conversation_id}")).text()
    assert f'href="/staff/mails/{row.id}"' in conversation
    page = await (await post.house.client.get(f"/staff/mails/{row.id}")).text()
    assert "请问&lt;b&gt;哪一盏&lt;/b&gt;？" in page and "路灯" in page
    raw = await post.house.client.get(f"/staff/mails/{row.id}/raw")
    assert await raw.read() == bytes(mail) and raw.headers["Content-Disposition"].startswith("attachment")


async def test_another_department_and_an_auditor_without_the_conversation_do_not_see_it(post: Post):
    await sign_in_as(post, "officer", department="security")
    await registered(post)
    (row,) = await post.rows(Inbox)
    assert (await post.house.client.get(f"/staff/mails/{row.id}")).status == 404
    assert (await post.house.client.get(f"/staff/mails/{row.id}/raw")).status == 404
    assert (await post.house.client.get("/staff/mails/999")).status == 404


# The LMTP door of the whole service.


async def test_the_service_takes_mail_by_lmtp_and_says_which_port_it_cannot_have(
    tmp_path: Path, empty_database: Path
):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.listen()
        settings = {"mailboxes": {"office": {"address": OFFICE}}, "lmtp": {"port": port}}
        with pytest.raises(Misconfigured, match=f"email.lmtp.port {port}"):
            await open_house(tmp_path, empty_database, email=settings)
    house, close = await open_house(tmp_path, empty_database, email=settings)

    def hand_over() -> dict[str, Any]:
        with smtplib.LMTP("127.0.0.1", port) as client:
            return client.sendmail(WANG, [OFFICE], bytes(write("南门的路灯不亮")))

    assert await asyncio.to_thread(hand_over) == {}
    (item,) = (await house.get("/inbox"))["items"]
    assert (item["account"], item["sender"]) == ("office", WANG)
    await close()


async def test_the_letter_is_a_sheet_of_paper_in_the_mail_that_tells_the_resident(post: Post):
    number = await registered(post)
    await post.house.do(number, "accept")
    await post.settle()
    mail = post.out()[-1]
    (sheet,) = mail.iter_attachments()
    assert sheet.get_filename() == "受理通知书_物服受字〔2026〕1号.pdf"
    with pdfplumber.open(io.BytesIO(sheet.get_content())) as opened:
        assert "物服受字〔2026〕1号" in opened.pages[0].extract_text()
    assert "已于11月25日受理" in words(mail)
