"""Mails come in whole, whatever their charset claims, and go out once."""

import email
import email.policy
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from pydantic import SecretStr, ValidationError

import channels.email.smtp as smtp_module
from channels.base import Attempt, PermanentFailure, TemporaryFailure
from channels.email import Email, Mailbox
from channels.email.decode import decode_bytes, decode_header
from channels.email.html import html_to_text
from channels.email.parse import parse_mail
from channels.email.quotation import own_words
from channels.files import FileStore
from core.db import Database
from core.message import OutboundMessage
from core.queues import Status
from tests.channels.contract import Contract, running_writer, stored
from tests.fakes.server import LoopbackServer
from tests.fakes.smtp import FakeMailServer

DATA = Path(__file__).parents[3] / "shared" / "data"
TOKEN, PIPE_TOKEN, PASSWORD = "token-of-the-mailbox", "token-of-the-pipe", "password-of-the-box"
OFFICE = "office@yunxi.example"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + b"\x00" * 40


class MailServer:
    """The mail server's pipe in, and its SMTP out."""

    recipient = "wang@resident.example"

    def __init__(self, channel: Email, url: str, http: aiohttp.ClientSession, smtp: FakeMailServer) -> None:
        self.channel = channel
        self.url = url + "/channels/email/main"
        self.http = http
        self.smtp = smtp

    async def post(self, raw: bytes, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post(self.url, data=raw, headers=headers) as answer:
            return answer.status, await answer.json()

    def mail(self, text: str, number: int = 1, **headers: str) -> EmailMessage:
        mail = EmailMessage()
        fields = {"From": f"王某 <{self.recipient}>", "To": OFFICE, "Subject": "路灯", "Message-ID": f"<m{number}@x>"}
        for name, value in (fields | {key.replace("_", "-"): value for key, value in headers.items()}).items():
            mail[name] = value
        mail.set_content(text)
        return mail

    async def deliver(self, text: str, number: int) -> int:
        return (await self.post(bytes(self.mail(text, number))))[0]

    async def forge(self, text: str) -> int:
        return (await self.post(bytes(self.mail(text)), token="wrong"))[0]

    async def malformed(self) -> int:
        return (await self.post(b"\x00\xff no mail at all"))[0]

    async def oversized(self) -> int:
        return (await self.post(b"x" * 200_001))[0]

    async def received(self) -> list[str]:
        read = [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.smtp.mails]
        return [mail.get_body(("plain",)).get_content().strip() for mail in read]  # type: ignore[union-attr]

    def answer_with_error_body(self) -> bool:
        self.smtp.scripted.append("data:451")
        return True

    def never_answer(self) -> bool:
        self.smtp.scripted.append("slow")
        return True

    async def send(self, text: str, outbox_id: int = 1, **fields: Any) -> Any:
        fields = {"origin": "reply", "recipient": self.recipient} | fields
        attempt = Attempt(outbox_id, "email", {"title": "路灯\r\nBcc: x"})
        return await self.channel.send(OutboundMessage("email", "main", text=text, **fields), attempt)


@pytest.fixture
async def door(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MailServer]:
    monkeypatch.setattr(smtp_module, "TIMEOUT_S", 0.5)
    smtp = FakeMailServer()
    await smtp.start()
    box = Mailbox(
        address=OFFICE, token=SecretStr(TOKEN), smtp_host="127.0.0.1", smtp_port=smtp.port, smtp_security="none",
        imap_password=SecretStr(PASSWORD),
    )
    async with running_writer(db) as writer, aiohttp.ClientSession() as http:
        channel = Email("main", box, writer, FileStore(tmp_path), db, mail_tokens=[PIPE_TOKEN], max_bytes=200_000)
        server = LoopbackServer(channel.routes())
        await server.start()
        yield MailServer(channel, server.url, http, smtp)
        await server.close()
    await smtp.close()


class TestContract(Contract):
    """E-mail keeps the contract."""


async def test_the_pipe_may_use_an_api_token_of_role_mail(door: MailServer):
    assert (await door.post(bytes(door.mail("好")), PIPE_TOKEN)) == (202, {"status": "stored"})
    assert (await door.post(bytes(door.mail("好")))) == (200, {"status": "seen_before"})


async def test_one_message_id_with_two_contents_is_two_mails(door: MailServer, db: Database):
    for text in ("一", "二"):
        assert (await door.post(bytes(door.mail(text, 1))))[0] == 202
    assert len(await stored(db)) == 2


async def test_what_is_no_mail_is_set_aside(door: MailServer, db: Database):
    assert await door.post(b"no mail") == (202, {"status": "set_aside"})
    (row,) = await stored(db)
    assert row.status == Status.SET_ASIDE and row.raw == b"no mail"


async def test_thread_ticket_number_and_files_are_known(door: MailServer, db: Database):
    mail = door.mail("见附件", Subject="Re: HY20261123-00017 路灯", References="<root@x> <a@x>", In_Reply_To="<a@x>")
    mail.add_attachment(PNG, maintype="application", subtype="octet-stream", filename="照片.dat")
    mail.add_attachment(b"MZ\x00program", maintype="application", subtype="pdf", filename="a.pdf")
    await door.post(bytes(mail))
    (row,) = await stored(db)
    assert (row.facts["thread"], row.in_reply_to) == ("<root@x>", "<a@x>")
    assert row.facts["ticket_number"] == "HY20261123-00017"
    assert [(item["name"], item["type"], bool(item["path"])) for item in row.attachments] == [
        ("照片.png", "image/png", True), ("a.bin", "application/octet-stream", False),
    ]


AUTOMATIC = [
    pytest.param({"Auto_Submitted": "auto-replied"}, "auto_reply", "auto_reply", id="RFC 3834"),
    pytest.param({"Subject": "自动回复：路灯"}, "auto_reply", "auto_reply", id="Chinese subject"),
    pytest.param({"Precedence": "bulk"}, "list", None, id="bulk"),
    pytest.param({"List_Id": "<news.example>"}, "list", None, id="list"),
    pytest.param({"X_Huiyin_Office": "1"}, "own", "own", id="our own, come back"),
    pytest.param({"From": OFFICE}, "own", "own", id="from our own address"),
    pytest.param({"X_Spam_Flag": "YES"}, "spam", None, id="spam"),
    pytest.param({"From": "postmaster@qq.example", "Subject": "系统退信"}, "bounce", "bounce", id="系统退信"),
    pytest.param({"Auto_Submitted": "no"}, None, None, id="a person"),
]


@pytest.mark.parametrize(("headers", "kind", "event"), AUTOMATIC)
async def test_what_a_machine_wrote_is_known(
    door: MailServer, db: Database, headers: dict[str, str], kind: str | None, event: str | None
):
    await door.post(bytes(door.mail("你好", **headers)))
    (row,) = await stored(db)
    assert (row.facts["automatic"], row.event) == (kind, event)


CHARSETS = [
    pytest.param("镕基㐀".encode("gb18030"), "gb2312", "镕基㐀", id="GB18030 called gb2312"),
    pytest.param("路灯坏了".encode("gbk"), None, "路灯坏了", id="GBK without a label"),
    pytest.param("路灯坏了".encode(), "us-ascii", "路灯坏了", id="UTF-8 called ASCII"),
    pytest.param("路灯坏了".encode(), "iso-8859-1", "路灯坏了", id="UTF-8 called Latin-1"),
    pytest.param("路灯坏了".encode("gbk"), "utf-8", "路灯坏了", id="GBK called UTF-8"),
    pytest.param("café".encode("latin-1"), "iso-8859-1", "café", id="Latin-1"),
    pytest.param("電燈".encode("big5"), "big5", "電燈", id="Big5"),
    pytest.param("路灯".encode(), "no-such-charset", "路灯", id="an unknown label"),
]


@pytest.mark.parametrize(("content", "label", "text"), CHARSETS)
def test_charsets_that_lie_are_seen_through(content: bytes, label: str | None, text: str):
    assert decode_bytes(content, label) == text


HEADERS = [
    pytest.param("=?gb2312?B?wre1xg==?=", "路灯", id="gb2312"),
    pytest.param("=?utf-8?B?6Lev5w==?= =?utf-8?B?ga8=?=", "路灯", id="a character split over two words"),
    pytest.param("Re: =?utf-8?Q?=E8=B7=AF=E7=81=AF?= 坏了", "Re: 路灯 坏了", id="mixed"),
    pytest.param("=?utf-8?Q?a_b?=\r\n =?utf-8?Q?_c?=", "a b c", id="folded"),
    pytest.param("路灯".encode("gbk").decode("ascii", "surrogateescape"), "路灯", id="raw GBK"),
    pytest.param("=?x-none?B?!!?=", "", id="broken"),
    pytest.param(None, "", id="none"),
]


@pytest.mark.parametrize(("header", "text"), HEADERS)
def test_broken_headers_are_read(header: str | None, text: str):
    assert decode_header(header) in (text, "!!" if text == "" else text)


QUOTATIONS = yaml.safe_load((Path(__file__).parent / "quotations.yml").read_text())


@pytest.mark.parametrize("row", QUOTATIONS, ids=[row["id"] for row in QUOTATIONS])
def test_the_resident_s_own_words_are_found(row: dict[str, str]):
    assert own_words(row["mail"]) == row["own"]


def test_html_is_read_as_a_reader_sees_it():
    html = "<style>p{}</style><p>路灯<b>坏了</b></p><div>南门<br>两盏</div>"
    html += "<blockquote><p>已修</p></blockquote>好<script>x</script>"
    assert html_to_text(html) == "路灯坏了\n南门\n两盏\n> 已修\n好"


@pytest.mark.skipif(not DATA.exists(), reason="the folder ../shared/data is not here")
def test_every_real_mail_is_read_or_set_aside_and_bounces_are_known():
    from channels.email.parse import Unparsable

    unparsable = 0
    files = [file for file in sorted(DATA.glob("mail/**/*")) if file.is_file() and not file.name.startswith(".")]
    for file in files:
        try:
            mail = parse_mail(file.read_bytes(), OFFICE)
        except Unparsable:
            unparsable += 1
            continue
        assert "@" in mail.sender, file.name
    assert unparsable < len(files) / 10
    for file in sorted((DATA / "bounces").iterdir()):
        kind = parse_mail(file.read_bytes(), OFFICE).automatic
        assert kind == ("bounce" if file.name.startswith("lhost") else "auto_reply"), file.name


# Out.


async def test_a_reply_is_threaded_marked_and_keeps_its_id_over_tries(door: MailServer):
    sent = [await door.send("已修好 <b>", 7, in_reply_to="<m1@x>") for _ in range(2)]
    mails = [email.message_from_bytes(raw, policy=email.policy.default) for raw in door.smtp.mails]
    assert {mail["Message-ID"] for mail in mails} == {sent[0].platform_id}
    mail = mails[0]
    assert mail["In-Reply-To"] == mail["References"] == "<m1@x>"
    assert mail["Auto-Submitted"] == "no" and mail["From"] == OFFICE and door.smtp.recipients[0] == door.recipient
    assert "&lt;b&gt;" in mail.get_body(("html",)).get_content()


async def test_nothing_a_resident_wrote_becomes_a_header(door: MailServer):
    await door.send("好")
    mail = email.message_from_bytes(door.smtp.mails[0], policy=email.policy.default)
    assert mail["Bcc"] is None and mail["Subject"] == "路灯 Bcc: x"


async def test_what_a_machine_says_is_marked_and_our_own_mail_is_known_again(door: MailServer):
    await door.send("收到", origin="receipt")
    assert parse_mail(door.smtp.mails[0], "else@example.org").automatic == "own"
    mail = email.message_from_bytes(door.smtp.mails[0])
    assert mail["Auto-Submitted"] == "auto-replied"


@pytest.mark.parametrize(
    ("trouble", "error"),
    [("550", PermanentFailure), ("450", TemporaryFailure), ("data:552", PermanentFailure),
     ("data:451", TemporaryFailure), ("bye", TemporaryFailure), ("slow", TemporaryFailure)],
)
async def test_every_trouble_says_what_to_do_next(door: MailServer, trouble: str, error: type[Exception]):
    door.smtp.scripted.append(trouble)
    with pytest.raises(error):
        await door.send("好")
    assert door.smtp.mails == []


@pytest.mark.parametrize("recipient", ["nobody", "a@b\r\nBcc: c@d", ""])
async def test_what_is_no_address_is_not_tried(door: MailServer, recipient: str):
    with pytest.raises(PermanentFailure):
        await door.send("好", recipient=recipient)
    assert door.smtp.recipients == []


def test_a_mailbox_has_an_address():
    with pytest.raises(ValidationError):
        Mailbox(address="office")
