"""Whatever characters a platform lets through can be stored, on both databases."""

import pytest

from core import clock
from core.db import Database
from core.message import Attachment, InboundMessage, storable
from tests.channels.contract import running_writer, stored


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param("空\x00字", "空\ufffd字", id="NUL"),
        pytest.param("半\ud83d个", "半\ufffd个", id="half a surrogate pair"),
        pytest.param("😀\n\t", "😀\n\t", id="what is in order"),
        pytest.param({"a\x00": ["b\x00", ("c\x00", 1, None)]}, {"a\ufffd": ["b\ufffd", ["c\ufffd", 1, None]]}, id="inside"),
    ],
)
def test_what_cannot_be_written_is_marked(value: object, kept: object):
    assert storable(value) == kept


async def test_a_message_full_of_them_is_stored_once(db: Database):
    message = InboundMessage(
        "email", "office", "id\x00\ud83d", "a\x00@b", "空\x00", clock.now(), in_reply_to="r\x00",
        attachments=(Attachment("照\x00片.png", "image/png"),), raw=b"\x00raw", event=None,
        facts={"subject": "题\x00", "list": ["\x00"]},
    )
    async with running_writer(db) as writer:
        first, second = [await writer.put(message) for _ in range(2)]
    (row,) = await stored(db)
    assert (first.new, second.new, first.id) == (True, False, second.id)
    assert (row.text, row.sender, row.facts["subject"]) == ("空\ufffd", "a\ufffd@b", "题\ufffd")
    assert row.raw == b"\x00raw" and row.attachments[0]["name"] == "照\ufffd片.png"
