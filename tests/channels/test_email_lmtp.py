"""The LMTP door: a line for each recipient, and nothing is said to be stored that is not."""

import asyncio
import smtplib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from channels.email import Email, LmtpDoor, Mailbox
from channels.files import FileStore
from core.db import Database
from tests.channels.contract import running_writer, stored

OFFICE, REPAIRS = "office@yunxi.example", "repairs@yunxi.example"
MAIL = (
    f"From: wang@resident.example\r\nTo: {OFFICE}\r\nCc: {REPAIRS}\r\nSubject: 路灯\r\nMessage-ID: <m1@x>\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n路灯坏了\r\n.第二行以点开始\r\n"
).encode()


class Server:
    """The office's mail server: it hands over and reads what is answered, line by line."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def talk(self, *lines: bytes, answers: int) -> list[str]:
        """Say all of it at once, as PIPELINING allows, and read so many answers."""

        def speak() -> list[str]:
            with socket.create_connection(("127.0.0.1", self.port), 10) as sock:
                file = sock.makefile("rb")
                sock.sendall(b"".join(line + b"\r\n" for line in lines))
                found: list[str] = []
                while len(found) < answers:
                    line = file.readline().decode()
                    assert line, found
                    if line[3:4] != "-":
                        found.append(line.rstrip())
                return found

        return await asyncio.to_thread(speak)

    async def deliver(self, *recipients: str, raw: bytes = MAIL, sender: str = "wang@resident.example") -> list[str]:
        """One mail for these recipients: the answers to RCPT, then those to the mail."""
        accepted = [name for name in recipients if "nobody" not in name]
        data = raw.replace(b"\r\n.", b"\r\n..").rstrip(b"\r\n")
        lines = [b"LHLO mx.example", f"MAIL FROM:<{sender}>".encode(), *(f"RCPT TO:<{n}>".encode() for n in recipients),
                 b"DATA", data, b".", b"QUIT"]
        found = await self.talk(*lines, answers=1 + 1 + 1 + len(recipients) + 1 + len(accepted) + 1)
        return [*found[3 : 3 + len(recipients)], *found[4 + len(recipients) : -1]]


@pytest.fixture
async def server(db: Database, tmp_path: Path) -> AsyncIterator[Server]:
    async with running_writer(db) as writer:
        files = FileStore(tmp_path)
        boxes = [Email(name.partition("@")[0], Mailbox(address=name), writer, files, db) for name in (OFFICE, REPAIRS)]
        door = LmtpDoor("127.0.0.1", 0, {box.address: box.take for box in boxes}, 5000)
        await door.start()
        yield Server(door.port)
        await door.close()


def codes(answers: list[str]) -> list[str]:
    return [" ".join(answer.split()[:2]) for answer in answers]


async def test_a_mail_is_stored_for_each_mailbox_and_answered_for_each_recipient(server: Server, db: Database):
    answers = await server.deliver(OFFICE, REPAIRS)
    assert codes(answers) == ["250 2.1.5", "250 2.1.5", "250 2.0.0", "250 2.0.0"]
    rows = await stored(db)
    assert sorted(row.account for row in rows) == ["office", "repairs"]
    assert {row.text for row in rows} == {"路灯坏了\n.第二行以点开始"}
    assert rows[0].raw.startswith(b"Return-Path: <wang@resident.example>\r\nDelivered-To: ")


async def test_plus_addresses_belong_to_their_mailbox_and_unknown_ones_are_refused(server: Server, db: Database):
    answers = await server.deliver("Office+HY20261123-00017@yunxi.example", "nobody@yunxi.example", OFFICE)
    assert codes(answers) == ["250 2.1.5", "550 5.1.1", "250 2.1.5", "250 2.0.0", "250 2.0.0"]
    (row,) = await stored(db)
    assert row.account == "office" and row.facts["ticket_number"] == "HY20261123-00017"


async def test_what_is_too_large_is_refused_for_each_recipient(server: Server, db: Database):
    answers = await server.deliver(OFFICE, REPAIRS, raw=MAIL + b"x" * 6000 + b"\r\n")
    assert codes(answers)[2:] == ["552 5.3.4", "552 5.3.4"]
    said = await server.talk(b"LHLO x", f"MAIL FROM:<a@b.example> SIZE={10**9}".encode(), answers=3)
    assert said[2].startswith("552")
    assert await stored(db) == []


async def test_a_line_of_half_a_million_letters_is_no_reason_to_lose_a_mail(db: Database, tmp_path: Path):
    async with running_writer(db) as writer:
        box = Email("office", Mailbox(address=OFFICE), writer, FileStore(tmp_path), db)
        door = LmtpDoor("127.0.0.1", 0, {OFFICE: box.take}, 5_000_000)
        await door.start()
        answers = await Server(door.port).deliver(OFFICE, raw=MAIL + b"x" * 500_000 + b"\r\n")
        await door.close()
    assert codes(answers)[1:] == ["250 2.0.0"]
    assert len((await stored(db))[0].raw) > 500_000


async def test_what_cannot_be_stored_is_to_be_tried_again_and_then_stored_once(server: Server, db: Database):
    async with db.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE inbox RENAME TO inbox_away")
    assert codes(await server.deliver(OFFICE, REPAIRS))[2:] == ["451 4.3.0", "451 4.3.0"]
    async with db.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE inbox_away RENAME TO inbox")
    for _ in range(2):
        assert codes(await server.deliver(OFFICE))[1:] == ["250 2.0.0"]
    assert len(await stored(db)) == 1


async def test_the_null_sender_marks_a_machine(server: Server, db: Database):
    await server.deliver(OFFICE, sender="")
    (row,) = await stored(db)
    assert row.facts["automatic"] == "auto_reply"


async def test_no_mail_is_set_aside_and_accepted(server: Server, db: Database):
    assert codes(await server.deliver(OFFICE, raw=b"no mail at all\r\n", sender=""))[1:] == ["250 2.0.0"]
    (row,) = await stored(db)
    assert row.status == "set_aside" and b"no mail at all" in row.raw


async def test_commands_out_of_order_get_one_line_each(server: Server):
    said = await server.talk(b"DATA", b"LHLO x", b"DATA", b"RCPT TO:<a@b.example>", b"EHLO x", b"QUIT", answers=7)
    assert [line[:3] for line in said] == ["220", "503", "250", "503", "503", "500", "221"]


async def test_python_s_own_client_delivers(server: Server, db: Database):
    def send() -> Any:
        with smtplib.LMTP("127.0.0.1", server.port) as client:
            return client.sendmail("wang@resident.example", [OFFICE, "nobody@yunxi.example"], MAIL)

    refused = await asyncio.to_thread(send)
    assert list(refused) == ["nobody@yunxi.example"] and refused["nobody@yunxi.example"][0] == 550
    assert len(await stored(db)) == 1
