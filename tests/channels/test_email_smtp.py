"""Mail goes out over connections that are kept, verified and given up at the right moment."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import channels.email.smtp as smtp_module
from channels.base import Attempt, PermanentFailure, TemporaryFailure
from channels.email.settings import Mailbox
from channels.email.smtp import SmtpPool
from channels.email.write import Envelope, write_mail
from core import clock
from core.message import OutboundMessage
from tests.fakes.certificate import certificate
from tests.fakes.smtp import FakeMailServer, StarttlsServer

OFFICE, WANG = "office@yunxi.example", "wang@resident.example"


def a_mail(text: str = "已修好。") -> EmailMessage:
    message = OutboundMessage("email", "main", WANG, text, "reply")
    return write_mail(message, Attempt(1, "email"), Envelope(OFFICE, "<huiyin.1.x@yunxi.example>"), clock.now(), [])


Make = Callable[..., SmtpPool]


@pytest.fixture
async def server() -> AsyncIterator[FakeMailServer]:
    fake = FakeMailServer()
    await fake.start()
    yield fake
    await fake.close()


@pytest.fixture
async def pools() -> AsyncIterator[Make]:
    made: list[SmtpPool] = []

    def make(port: int, security: str = "none", **fields: Any) -> SmtpPool:
        box = {"address": OFFICE, "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": security} | fields
        made.append(SmtpPool(Mailbox.model_validate(box)))
        return made[-1]

    yield make
    for pool in made:
        await pool.close()


async def test_one_connection_carries_many_mails(server: FakeMailServer, pools: Make):
    pool = pools(server.port)
    for _ in range(5):
        await pool.send(a_mail(), OFFICE, WANG)
    assert len(server.mails) == 5 and server.connections == 1


async def test_no_more_than_four_connections_are_open_at_once(server: FakeMailServer, pools: Make):
    pool = pools(server.port)
    await asyncio.gather(*(pool.send(a_mail(), OFFICE, WANG) for _ in range(20)))
    assert len(server.mails) == 20 and server.connections <= 4


async def test_an_idle_connection_that_the_server_gave_up_is_replaced(server: FakeMailServer, pools: Make):
    pool = pools(server.port)
    await pool.send(a_mail(), OFFICE, WANG)
    await server.hang_up()
    await pool.send(a_mail(), OFFICE, WANG)
    assert len(server.mails) == 2 and server.connections == 2


async def test_an_idle_connection_ends_by_itself(server: FakeMailServer, pools: Make, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smtp_module, "KEPT_S", 0.1)
    await pools(server.port).send(a_mail(), OFFICE, WANG)
    for _ in range(100):
        if server.goodbyes:
            break
        await asyncio.sleep(0.05)
    assert server.goodbyes == 1


async def test_one_refused_recipient_does_not_cost_the_connection(server: FakeMailServer, pools: Make):
    pool = pools(server.port)
    server.scripted.append("550")
    with pytest.raises(PermanentFailure):
        await pool.send(a_mail(), OFFICE, WANG)
    await pool.send(a_mail(), OFFICE, WANG)
    assert server.recipients == [WANG]


async def test_a_server_that_is_away_and_a_refused_login_are_tried_again(server: FakeMailServer, pools: Make):
    away = FakeMailServer()
    await away.start()
    port = away.port
    await away.close()
    with pytest.raises(TemporaryFailure):
        await pools(port).send(a_mail(), OFFICE, WANG)
    with pytest.raises(TemporaryFailure, match="smtp_user"):
        await pools(server.port, smtp_user="office", smtp_password=SecretStr("wrong")).send(a_mail(), OFFICE, WANG)


# TLS.


async def secure_server(path: Path, security: str) -> FakeMailServer | StarttlsServer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    server = StarttlsServer(context) if security == "starttls" else FakeMailServer(context)
    await server.start()
    return server


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_mail_goes_out_encrypted_to_a_server_whose_certificate_is_known(
    tmp_path: Path, pools: Make, monkeypatch: pytest.MonkeyPatch, security: str
):
    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    server = await secure_server(path, security)
    await pools(server.port, security).send(a_mail(), OFFICE, WANG)
    assert len(server.mails) == 1 and server.encrypted
    await server.close()


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.2"], ids=["unknown issuer", "another's certificate"])
async def test_nothing_is_said_to_a_server_whose_certificate_is_not_right(
    tmp_path: Path, pools: Make, monkeypatch: pytest.MonkeyPatch, security: str, name: str
):
    path = certificate(tmp_path, name)
    if name != "127.0.0.1":
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    server = await secure_server(path, security)
    with pytest.raises(TemporaryFailure, match="certificate"):
        await pools(server.port, security, smtp_user="u", smtp_password=SecretStr("p")).send(a_mail(), OFFICE, WANG)
    assert server.mails == [] and not server.logins
    await server.close()


async def test_a_server_without_starttls_gets_no_mail_where_it_is_wanted(server: FakeMailServer, pools: Make):
    with pytest.raises(TemporaryFailure):
        await pools(server.port, "starttls").send(a_mail(), OFFICE, WANG)
    assert server.mails == []


# What is written.


def read(mail: EmailMessage) -> Any:
    return email.message_from_bytes(bytes(mail), policy=email.policy.default)


def test_a_reply_is_threaded_under_the_resident_s_mail_and_names_its_ticket():
    message = OutboundMessage("email", "main", WANG, "已修好，见 https://yunxi.example/r/1。", "reply")
    notice = {"subject": "[HY20261123-00017] 路灯", "office": "云溪花园物业", "number": "HY20261123-00017",
              "in_reply_to": "<m2@x>", "references": "<m1@x> <huiyin.1.a@y> <m2@x>"}
    envelope = Envelope(OFFICE, "<huiyin.2.b@yunxi.example>", plus_addresses=True)
    mail = read(write_mail(message, Attempt(2, "email", notice), envelope, clock.now(), []))
    assert mail["In-Reply-To"] == "<m2@x>" and mail["References"] == "<m1@x> <huiyin.1.a@y> <m2@x>"
    assert mail["Reply-To"] == "office+HY20261123-00017@yunxi.example"
    assert mail["From"].addresses[0].display_name == "云溪花园物业"
    assert mail["Subject"] == "[HY20261123-00017] 路灯"
    assert 'href="https://yunxi.example/r/1"' in mail.get_body(("html",)).get_content()


def test_the_row_s_own_mark_behind_a_message_id_does_not_reach_the_header():
    message = OutboundMessage("email", "main", WANG, "好", "assistant", in_reply_to="<m1@x>:0123456789abcdef")
    mail = read(write_mail(message, Attempt(1, "email"), Envelope(OFFICE, "<h@y>"), clock.now(), []))
    assert mail["In-Reply-To"] == mail["References"] == "<m1@x>"


def test_files_go_out_under_their_chinese_names():
    message = OutboundMessage("email", "main", WANG, "见附件", "reply")
    files = [("维修照片.png", "image/png", b"\x89PNG"), ("说\r\n明.pdf", "application/pdf", b"%PDF")]
    mail = read(write_mail(message, Attempt(1, "email"), Envelope(OFFICE, "<h@y>"), clock.now(), files))
    found = [(part.get_filename(), part.get_content_type()) for part in mail.iter_attachments()]
    assert found == [("维修照片.png", "image/png"), ("说 明.pdf", "application/pdf")]
    assert mail.get_body(("plain",)).get_content().strip() == "见附件"
