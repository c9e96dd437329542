"""Mail fetched by IMAP is stored once, marked only then, and whatever the server does, nothing is lost."""

import asyncio
import grp
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient
from pydantic import SecretStr
from sqlalchemy import select

import channels.email.imap as imap_module
from channels.email import Email, Mailbox
from channels.email.tables import MailboxPosition
from channels.files import FileStore
from core.db import Database
from core.inbox_writer import InboxWriter
from core.queues import Status
from tests.channels.contract import running_writer, stored
from tests.fakes.certificate import certificate
from tests.fakes.imap import FakeImap

OFFICE, PASSWORD = "office@yunxi.example", "authorisation-code-of-the-office"


def mail(text: str, number: int = 1, sender: str = "wang@resident.example") -> bytes:
    head = f"From: {sender}\r\nTo: {OFFICE}\r\nSubject: =?utf-8?B?6Lev54Gv?=\r\nMessage-ID: <m{number}@x>\r\n"
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_module, "SLICE_S", 0.05)
    monkeypatch.setattr(imap_module, "BACK_OFF_S", (0.05,))
    monkeypatch.setattr(imap_module, "READ_S", 1.5)
    monkeypatch.setattr(imap_module, "CONNECT_S", 1.5)


@pytest.fixture
async def server() -> AsyncIterator[FakeImap]:
    fake = FakeImap()
    await fake.start()
    yield fake
    await fake.close()


class Box:
    """A channel at work on a mailbox; `writer` stores."""

    def __init__(self, channel: Email, db: Database, writer: InboxWriter) -> None:
        self.channel, self.db, self.writer = channel, db, writer

    async def texts(self) -> list[str]:
        return [row.text for row in await stored(self.db)]

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until it holds; it may be a coroutine function."""
        for _ in range(600):
            found = holds()
            if (await found) if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"it did not come about; trouble: {self.channel.trouble!r}; stored: {await self.texts()}")

    async def has(self, *texts: str) -> None:
        async def are_there() -> bool:
            return await self.texts() == list(texts)

        await self.until(are_there)


@asynccontextmanager
async def reading(db: Database, folder: Path, port: int, **fields: Any) -> AsyncIterator[Box]:
    box = Mailbox(
        address=OFFICE, imap_host="127.0.0.1", imap_port=port, imap_user="office", imap_password=SecretStr(PASSWORD),
        **{"imap_security": "none", "poll_s": 1} | fields,
    )
    async with running_writer(db) as writer:
        channel = Email("main", box, writer, FileStore(folder), db, max_bytes=100_000)
        await channel.start()
        try:
            yield Box(channel, db, writer)
        finally:
            await channel.close()


async def test_what_is_unread_is_stored_then_marked_and_what_was_read_before_is_left(
    db: Database, tmp_path: Path, server: FakeImap, fast: None
):
    server.put(mail("去年的旧信", 0), "\\Seen")
    server.put(mail("路灯坏了", 1))
    async with reading(db, tmp_path, server.port) as box:
        await box.has("路灯坏了")
        await box.until(lambda: server.seen() == [1, 2])
        server.put(mail("电梯也坏了", 2))
        await box.has("路灯坏了", "电梯也坏了")
        assert box.channel.trouble == ""
    fetched = [command for command in server.commands if "BODY.PEEK[]" in command]
    assert len(fetched) == 2 and not any("BODY[]" in command for command in server.commands)


async def test_idle_brings_a_mail_without_waiting_for_the_next_poll(
    db: Database, tmp_path: Path, server: FakeImap, fast: None
):
    async with reading(db, tmp_path, server.port, poll_s=3600) as box:
        await box.until(lambda: "IDLE" in server.commands)
        server.put(mail("路灯坏了"))
        await box.has("路灯坏了")
        assert await box.texts() == ["路灯坏了"]


async def test_a_mail_told_of_in_two_packets_is_read_over_the_same_connection(
    db: Database, tmp_path: Path, server: FakeImap, fast: None
):
    server.scripted["NEWS"] = ["in-pieces"]
    async with reading(db, tmp_path, server.port, poll_s=3600) as box:
        await box.until(lambda: "IDLE" in server.commands)
        server.put(mail("路灯坏了"))
        await box.has("路灯坏了")
        assert (server.logins, box.channel.trouble) == (1, "")


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_a_mail_that_arrives_in_the_moment_idle_begins_does_not_wait_for_the_next_poll(
    db: Database, tmp_path: Path, fast: None, monkeypatch: pytest.MonkeyPatch, tls: bool
):
    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    fake = FakeImap(tls=context if tls else None)
    fake.comes_at_idle.append(mail("路灯坏了"))
    await fake.start()
    async with reading(db, tmp_path, fake.port, poll_s=3600, imap_security="tls" if tls else "none") as box:
        await box.has("路灯坏了")
        fake.put(mail("电梯也坏了", 2))
        await box.has("路灯坏了", "电梯也坏了")
        assert (fake.logins, box.channel.trouble) == (1, "")
    await fake.close()


async def test_a_server_without_idle_is_polled(db: Database, tmp_path: Path, fast: None):
    fake = FakeImap(idle=False)
    await fake.start()
    async with reading(db, tmp_path, fake.port) as box:
        await box.until(lambda: any("SEARCH" in command for command in fake.commands))
        fake.put(mail("路灯坏了"))
        await box.has("路灯坏了")
        assert "IDLE" not in fake.commands
    await fake.close()


async def test_a_provider_that_wants_the_id_command_before_select_gets_it(db: Database, tmp_path: Path, fast: None):
    fake = FakeImap(wants_id=True)
    await fake.start()
    fake.put(mail("路灯坏了"))
    async with reading(db, tmp_path, fake.port) as box:
        await box.has("路灯坏了")
    names = [command.split()[0] for command in fake.commands]
    assert names.index("ID") < names.index("SELECT")
    await fake.close()


TROUBLES = [
    pytest.param("GREETING", "drop", id="hangs up at once"),
    pytest.param("GREETING", "stall", id="never greets"),
    pytest.param("LOGIN", "no", id="refuses the login once"),
    pytest.param("LOGIN", "stall", id="stalls at the login"),
    pytest.param("SELECT", "bye", id="says BYE at SELECT"),
    pytest.param("SELECT", "no", id="refuses the folder once"),
    pytest.param("UID SEARCH", "drop", id="drops while searching"),
    pytest.param("UID FETCH", "drop-half", id="drops in the middle of a mail"),
    pytest.param("UID FETCH", "stall", id="stalls in the middle"),
    pytest.param("UID FETCH", "bad", id="does not like FETCH once"),
    pytest.param("UID FETCH", "late", id="answers late"),
    pytest.param("UID STORE", "drop", id="drops before the mark"),
    pytest.param("UID STORE", "no", id="refuses the mark"),
    pytest.param("IDLE", "bye", id="says BYE at IDLE"),
    pytest.param("NEWS", "bye", id="says BYE while idling"),
    pytest.param("NEWS", "drop", id="hangs up while idling"),
]


@pytest.mark.parametrize(("command", "trouble"), TROUBLES)
async def test_no_trouble_of_the_server_loses_or_doubles_a_mail(
    db: Database, tmp_path: Path, server: FakeImap, fast: None, command: str, trouble: str
):
    server.scripted[command] = [trouble]
    server.put(mail("第一封", 1))
    async with reading(db, tmp_path, server.port) as box:
        await box.has("第一封")
        server.put(mail("第二封", 2))
        await box.has("第一封", "第二封")
        server.put(mail("第三封", 3))
        await box.has("第一封", "第二封", "第三封")
        await box.until(lambda: server.scripted[command] == [] and box.channel.trouble == "")
        assert sorted(await box.texts()) == ["第一封", "第三封", "第二封"]


async def test_a_wrong_password_is_said_and_holds_nothing_up_when_it_is_mended(
    db: Database, tmp_path: Path, server: FakeImap, fast: None
):
    server.always["LOGIN"] = "no"
    server.put(mail("路灯坏了"))
    async with reading(db, tmp_path, server.port) as box:
        await box.until(lambda: "授权码" in box.channel.trouble)
        assert await box.texts() == [] and PASSWORD not in box.channel.trouble
        server.always.clear()
        await box.has("路灯坏了")


async def test_nothing_is_marked_before_it_is_stored(db: Database, tmp_path: Path, server: FakeImap, fast: None):
    server.put(mail("路灯坏了"))
    async with db.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE inbox RENAME TO inbox_away")
    async with reading(db, tmp_path, server.port) as box:
        await box.until(lambda: sum("BODY.PEEK[]" in command for command in server.commands) >= 3)
        assert server.seen() == []
        async with db.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE inbox_away RENAME TO inbox")
        await box.has("路灯坏了")
        await box.until(lambda: server.seen() == [1])
    (row,) = await stored(db)
    assert row.status == Status.TODO  # Not set aside because the database was away for a while.


async def test_one_poisoned_mail_is_set_aside_raw_and_stops_nothing(
    db: Database, tmp_path: Path, server: FakeImap, fast: None, monkeypatch: pytest.MonkeyPatch
):
    poisoned = mail("有毒的一封", 1)
    take = Email.take

    async def take_or_choke(self: Email, raw: bytes) -> str:
        if "有毒".encode() in raw:
            raise RuntimeError("a hole in a parser")
        return await take(self, raw)

    monkeypatch.setattr(Email, "take", take_or_choke)
    server.put(poisoned)
    server.put(mail("好的一封", 2))
    async with reading(db, tmp_path, server.port) as box:
        await box.until(lambda: server.seen() == [1, 2])
    good, aside = await stored(db)
    assert (good.text, good.status) == ("好的一封", Status.TODO)
    assert aside.status == Status.SET_ASIDE and aside.raw == poisoned


async def test_a_mail_over_which_the_connection_breaks_holds_up_no_other(
    db: Database, tmp_path: Path, server: FakeImap, fast: None
):
    server.put(mail("坏的一封", 1))
    server.put(mail("好的一封", 2))
    server.broken_uids.add(1)
    async with reading(db, tmp_path, server.port) as box:
        await box.has("好的一封")
        server.put(mail("又一封", 3))
        await box.has("好的一封", "又一封")
        assert 1 not in server.seen()


async def test_a_mail_that_is_too_large_is_kept_as_far_as_it_goes(
    db: Database, tmp_path: Path, server: FakeImap, fast: None
):
    server.put(mail("长" * 60_000, 1))
    server.put(mail("短的", 2))
    async with reading(db, tmp_path, server.port) as box:
        await box.until(lambda: server.seen() == [1, 2])
    aside, short = await stored(db)
    assert aside.status == Status.SET_ASIDE and len(aside.raw) == 100_000 and "lies in the mailbox" in str(aside.last_error)
    assert short.text == "短的"


async def test_a_mail_that_somebody_opened_in_webmail_is_stored_all_the_same(
    db: Database, tmp_path: Path, server: FakeImap, fast: None
):
    server.put(mail("第一封", 1))
    async with reading(db, tmp_path, server.port) as box:
        await box.has("第一封")
        await box.until(lambda: box.channel.trouble == "" and "IDLE" in server.commands)
    server.put(mail("已被人点开", 2), "\\Seen")
    async with reading(db, tmp_path, server.port) as box:
        await box.has("第一封", "已被人点开")
        assert sorted(await box.texts()) == ["已被人点开", "第一封"]


async def test_new_numbers_after_a_repair_of_the_server_bring_no_mail_twice_and_lose_none(
    db: Database, tmp_path: Path, server: FakeImap, fast: None
):
    server.put(mail("第一封", 1))
    async with reading(db, tmp_path, server.port) as box:
        await box.has("第一封")
        await box.until(lambda: server.seen() == [1])
    server.validity = 200
    server.put(mail("第二封", 2), "\\Seen")
    server.mails.reverse()
    for number, kept in enumerate(server.mails, start=1):
        kept.uid = number
    async with reading(db, tmp_path, server.port) as box:
        await box.has("第一封", "第二封")

        async def is_written() -> bool:
            async with db.reading() as session:
                position = await session.scalar(select(MailboxPosition))
                return position is not None and (position.validity, position.uid) == (200, 2)

        await box.until(is_written)
        assert sorted(await box.texts()) == ["第一封", "第二封"]


@pytest.mark.parametrize("move", [True, False], ids=["MOVE", "COPY and EXPUNGE"])
async def test_stored_mails_can_be_moved_away(db: Database, tmp_path: Path, fast: None, move: bool):
    fake = FakeImap(move=move)
    await fake.start()
    fake.put(mail("路灯坏了"))
    async with reading(db, tmp_path, fake.port, imap_move_to="Huiyin") as box:
        await box.has("路灯坏了")
        await box.until(lambda: [len(raws) for raws in fake.folders.values()] == [1] and fake.mails == [])
        assert await box.texts() == ["路灯坏了"]
    await fake.close()


async def test_mail_is_fetched_over_tls_from_a_server_whose_certificate_is_known_and_from_no_other(
    db: Database, tmp_path: Path, fast: None, monkeypatch: pytest.MonkeyPatch
):
    path = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    fake = FakeImap(tls=context)
    await fake.start()
    fake.put(mail("路灯坏了"))
    async with reading(db, tmp_path, fake.port, imap_security="tls") as box:
        await box.until(lambda: "certificate is not valid" in box.channel.trouble)
        assert fake.logins == 0
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    async with reading(db, tmp_path, fake.port, imap_security="tls") as box:
        await box.has("路灯坏了")
    await fake.close()


# Servers that were not written here.


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("the server did not start")


@pytest.fixture
def pymap() -> Iterator[int]:
    yield from run_pymap("--no-tls")


@pytest.fixture
def secure_pymap(tmp_path: Path) -> Iterator[int]:
    path = str(certificate(tmp_path))
    yield from run_pymap("--cert", path, "--key", path)


def run_pymap(*more: str) -> Iterator[int]:
    port = free_port()
    program = "import sys; from pymap.main import main; sys.exit(main())"
    options = ["--host", "127.0.0.1", "--port", str(port), *more, "--no-service", "admin", "--no-service", "managesieve",
               "dict", "--demo-data", "--demo-user", "office", "--demo-password", PASSWORD]
    process = subprocess.Popen([sys.executable, "-c", program, *options], stderr=subprocess.PIPE)
    wait_for(port)
    yield port
    process.terminate()
    process.wait(10)


@pytest.fixture
def dovecot() -> Iterator[int]:
    """Dovecot on a folder of its own; started by root it changes to the users that Debian made for it."""
    program = shutil.which("dovecot")
    if program is None:
        pytest.skip("Dovecot is not on this machine")
    port, is_root = free_port(), os.getuid() == 0
    ourselves = pwd.getpwuid(os.getuid()).pw_name
    owner = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.getuid())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        (home / "mail").mkdir()
        os.chown(home / "mail", owner.pw_uid, owner.pw_gid)
        (home / "dovecot.conf").write_text(
            DOVECOT.format(
                home=home, port=port, password=PASSWORD, uid=owner.pw_uid, gid=owner.pw_gid,
                internal="dovecot" if is_root else ourselves, login="dovenull" if is_root else ourselves,
                group="dovecot" if is_root else grp.getgrgid(os.getgid()).gr_name,
            )
        )
        process = subprocess.Popen([program, "-F", "-c", str(home / "dovecot.conf")])
        wait_for(port)
        yield port
        process.terminate()
        process.wait(10)


DOVECOT = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:{home}/mail
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail
}}
"""


async def append(port: int, raw: bytes, *flags: bytes) -> None:
    def put() -> None:
        with IMAPClient("127.0.0.1", port, ssl=False) as client:
            client.login("office", PASSWORD)
            client.append("INBOX", raw, flags)

    await asyncio.to_thread(put)


async def unseen(port: int) -> int:
    def count() -> int:
        with IMAPClient("127.0.0.1", port, ssl=False) as client:
            client.login("office", PASSWORD)
            client.select_folder("INBOX", readonly=True)
            return len(client.search(["UNSEEN"]))

    return await asyncio.to_thread(count)


@pytest.mark.parametrize("which", ["pymap", "dovecot"])
async def test_a_server_not_written_here_is_read_by_idle_marked_and_left_in_order(
    db: Database, tmp_path: Path, request: pytest.FixtureRequest, which: str, fast: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(imap_module, "READ_S", 10.0)
    port = request.getfixturevalue(which)
    await append(port, mail("路灯坏了", 1))
    async with reading(db, tmp_path, port, poll_s=20) as box:

        async def has(text: str) -> bool:
            return text in await box.texts()

        await box.until(lambda: has("路灯坏了"))
        await append(port, mail("电梯也坏了", 2))
        await box.until(lambda: has("电梯也坏了"))
        assert box.channel.trouble == ""

        async def all_marked() -> bool:
            return await unseen(port) == 0

        await box.until(all_marked)


async def test_starttls_is_done_before_the_password_is_said(
    db: Database, tmp_path: Path, secure_pymap: int, fast: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(imap_module, "READ_S", 10.0)
    async with reading(db, tmp_path, secure_pymap, imap_security="starttls") as box:
        await box.until(lambda: "certificate is not valid" in box.channel.trouble)
        assert await box.texts() == []
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "127.0.0.1.pem"))
    async with reading(db, tmp_path, secure_pymap, imap_security="starttls") as box:
        await box.until(lambda: box.channel.trouble == "")
