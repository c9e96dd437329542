"""Chinese mails as their programs write them: what is read of each stands beside it in `tests/data/mail`."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from channels.email.parse import Mail, Unparsable, parse_mail
from channels.email.quotation import own_words

MAILS = sorted((Path(__file__).parent.parent / "data" / "mail").glob("*.eml"))
SHARED = Path(__file__).parents[3] / "shared" / "data"
OFFICE = "office@yunxi.example"


def read(mail: Mail) -> dict[str, Any]:
    """The mail under the names that the expectations use."""
    bounce = mail.bounce
    return {
        "sender": mail.sender, "name": mail.sender_name, "subject": mail.subject, "text": mail.text,
        "kind": mail.automatic, "number": mail.ticket_number, "thread": mail.thread, "id": mail.message_id,
        "files": [file.name for file in mail.files], "recipients": len(mail.recipients),
        "permanent": bounce and bounce.permanent, "status": bounce and bounce.status,
        "returned": bounce and bounce.message_id, "bounced": bounce and next(iter(bounce.recipients), None),
        "bounce_number": bounce and bounce.number,
    }


def test_there_are_enough_of_them():
    assert len(MAILS) >= 60


@pytest.mark.parametrize("path", MAILS, ids=[path.stem for path in MAILS])
def test_a_mail_is_read_as_its_writer_meant_it(path: Path):
    expected = yaml.safe_load(path.with_suffix(".yml").read_text("utf-8"))
    mail = parse_mail(path.read_bytes(), OFFICE)
    found = read(mail)
    for words in expected.pop("has", []):
        assert words in mail.text
    for words in expected.pop("lacks", []):
        assert words not in mail.text
    assert expected.pop("subject_has", "") in mail.subject
    assert {name: found[name] for name in expected} == expected
    assert "\ufffd" not in mail.subject or path.stem == "word-cut-short"


def test_the_whole_mail_stays_beside_the_resident_s_own_words():
    for path in MAILS:
        raw = path.read_bytes()
        mail = parse_mail(raw, OFFICE)
        whole = mail.whole.replace("&nbsp;", " ").replace("\ufeff", "")
        if b"message/rfc822" not in raw:
            assert set(mail.text.split()) <= set(whole.split()), path.stem


WORDS = st.sampled_from(["路灯不亮", "三号灯柱", "从周三起", "请尽快来修", "电话打不通", "5-2-301", "A-17，A-18", "谢谢"])
QUOTED = st.sampled_from(["> 哪一盏？", ">> 已派人", "> ", "＞ 收到"])


@given(st.lists(st.one_of(WORDS, QUOTED), min_size=1, max_size=30), st.booleans())
def test_no_word_between_quoted_lines_is_ever_lost(lines: list[str], with_mark: bool):
    mark = ["在 2026年11月20日，10:21，云溪物业 <office@yunxi.example> 写道："] if with_mark else []
    first = ["> 您好"] if with_mark else []
    own = [line for line in lines if not line.startswith((">", "＞"))]
    said = own_words("\n".join([*mark, *first, *lines])).split("\n")
    assert [line for line in said if line in own] == own


HOSTILE = [
    "@" * 100_000, "a@" * 50_000, "on " * 60_000, "在 " + "写" * 150_000, "-" * 150_000, "|" * 100_000, "发自我的" * 40_000,
    "\n".join(["on x"] * 20_000), "\n".join(["> a"] * 50_000), "\n".join(["发件人:"] * 20_000), "\n".join(["--"] * 50_000),
    "\n".join(["签名由网易邮箱大师定制"] * 20_000),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_mail_takes_for_ever(text: str):
    assert set(own_words(text)) <= set(text), "words that nobody wrote"


def test_two_mails_under_one_id_are_two():
    pair = [parse_mail(path.read_bytes(), OFFICE) for path in MAILS if path.stem.startswith("one-id-twice")]
    assert len({mail.identity for mail in pair}) == 2


@pytest.mark.skipif(not SHARED.exists(), reason="the folder ../shared/data is not here")
def test_every_public_mail_is_a_message_a_return_or_an_automatic_reply():
    for path in sorted(SHARED.glob("mail/**/*")):
        if path.is_file() and not path.name.startswith("."):
            try:
                mail = parse_mail(path.read_bytes(), OFFICE)
            except Unparsable:
                continue
            assert "@" in mail.sender and mail.identity, path.name
            assert mail.text.strip() or mail.whole.strip() == "" or mail.files, path.name
