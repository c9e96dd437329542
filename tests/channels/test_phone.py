"""Calls come in, whatever recogniser wrote them down."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from channels.base import Attempt, PermanentFailure
from channels.phone import Phone, turns_of
from channels.transcripts import FORMATS, Unreadable, guess_format, read_transcript
from core.db import Database
from core.queues import Status
from tests.channels.contract import Contract, outbound, running_writer, stored
from tests.fakes.server import LoopbackServer

DATA = Path(__file__).parents[3] / "shared" / "data" / "calls"
TOKEN = "token-of-the-phone"


class Exchange:
    """The telephone system that reports calls."""

    recipient = "+8613800001234"

    def __init__(self, channel: Phone, url: str, http: aiohttp.ClientSession) -> None:
        self.channel = channel
        self.url = url + "/channels/phone/calls"
        self.http = http

    async def post(self, body: Any, token: str = TOKEN) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post(self.url, data=data, headers=headers) as answer:
            return answer.status, await answer.json()

    def call(self, text: str, number: int = 1, **changes: Any) -> dict[str, Any]:
        turns = [{"speaker": "caller", "start_s": 0.5, "end_s": 2, "text": text}]
        return {
            "call_id": f"c{number}", "caller": "138 0000 1234", "started_at": f"2026-11-23T09:0{number}:00+08:00",
            "turns": turns,
        } | changes

    async def deliver(self, text: str, number: int) -> int:
        return (await self.post(self.call(text, number)))[0]

    async def forge(self, text: str) -> int:
        return (await self.post(self.call(text), token="wrong"))[0]

    async def malformed(self) -> int:
        return (await self.post(b"{broken"))[0]

    async def oversized(self) -> int:
        return (await self.post(b"x" * (20 * 1024 * 1024 + 1)))[0]

    async def received(self) -> list[str]:
        return []

    def answer_with_error_body(self) -> bool:
        return False

    def never_answer(self) -> bool:
        return False


@pytest.fixture
async def door(db: Database) -> AsyncIterator[Exchange]:
    async with running_writer(db) as writer, aiohttp.ClientSession() as http:
        channel = Phone(SecretStr(TOKEN), writer, db)
        server = LoopbackServer(channel.routes())
        await server.start()
        yield Exchange(channel, server.url, http)
        await server.close()


class TestContract(Contract):
    """The phone keeps the contract."""


async def test_a_call_is_stored_seen_before_or_a_new_version(door: Exchange, db: Database):
    assert await door.post(door.call("路灯坏了")) == (202, {"call_id": "c1", "status": "stored"})
    assert await door.post(door.call("路灯坏了")) == (200, {"call_id": "c1", "status": "seen_before"})
    assert await door.post(door.call("路灯坏了两个")) == (202, {"call_id": "c1", "status": "new_version"})
    assert [row.facts["version"] for row in await stored(db)] == [1, 2]


async def test_the_same_caller_start_and_words_under_another_id_are_the_same_call(door: Exchange, db: Database):
    await door.post(door.call("路灯坏了"))
    _, again = await door.post(door.call("路灯坏了", call_id="other", caller="+8613800001234"))
    assert again["status"] == "seen_before"
    assert len(await stored(db)) == 1


async def test_the_caller_may_be_unknown(door: Exchange, db: Database):
    assert (await door.post(door.call("路灯坏了", caller="")))[0] == 202
    (row,) = await stored(db)
    assert row.sender == "unknown-c1" and row.facts["caller_known"] is False


async def test_words_stand_in_the_text_and_their_times_in_the_facts(door: Exchange, db: Database):
    turns = [
        {"speaker": "agent", "start_s": 0, "end_s": 1.5, "text": "您好"},
        {"speaker": "caller", "start_s": 2, "end_s": 3, "text": "路灯\n坏了"},
    ]
    await door.post(door.call("", turns=turns))
    (row,) = await stored(db)
    assert "路灯" not in json.dumps(row.facts, ensure_ascii=False)
    assert [(turn.speaker, turn.text) for turn in turns_of(row.text, row.facts)] == [
        ("agent", "您好"), ("caller", "路灯 坏了"),
    ]
    assert row.facts["started_at"] == "2026-11-23T09:01:00+08:00" and row.sender == "+8613800001234"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"call_id": ""}, id="no call id"),
        pytest.param({"started_at": "yesterday"}, id="no moment"),
        pytest.param({"caller": 5}, id="caller is a number"),
        pytest.param({"turns": []}, id="no turns"),
        pytest.param({"turns": [{"speaker": "x", "text": "a"}]}, id="an unknown speaker"),
        pytest.param({"turns": [{"speaker": "agent"}]}, id="no text"),
        pytest.param({"turns": [{"speaker": "agent", "text": "a", "start_s": "x"}]}, id="no time"),
    ],
)
async def test_what_cannot_be_read_is_kept_raw(door: Exchange, db: Database, changes: dict[str, Any]):
    status, body = await door.post(door.call("a", **changes))
    (row,) = await stored(db)
    assert status == 422 and body["detail"]
    assert row.status == Status.SET_ASIDE and json.loads(row.raw)["call_id"] == changes.get("call_id", "c1")


@pytest.mark.skipif(not DATA.exists(), reason="the folder ../shared/data is not here")
async def test_the_same_call_in_eight_formats_gives_the_same_turns():
    read = {}
    for file in sorted(DATA.iterdir()):
        text = file.read_text()
        format_ = guess_format(text)
        read[format_] = [(turn.speaker, turn.text) for turn in read_transcript(format_, text)]
        if format_ not in ("txt", "srt", "vtt"):
            assert read_transcript(format_, json.loads(text)) == read_transcript(format_, text)
        if format_ != "txt":
            times = [(turn.start_s, turn.end_s) for turn in read_transcript(format_, text)]
            assert times[0] == (0.32, 5.18) and times[-1] == (57.64, 61.78), file.name
    assert set(read) == set(FORMATS)
    assert all(turns == read["txt"] for turns in read.values()) and len(read["txt"]) == 11
    assert [speaker for speaker, _ in read["txt"]] == ["agent", "caller"] * 5 + ["agent"]


async def test_a_vendor_s_transcript_is_taken_as_string_or_object(door: Exchange, db: Database):
    transcript = {"segments": [
        {"start": 0, "end": 1, "text": "电梯坏了", "speaker": "SPEAKER_01"},
        {"start": 1, "end": 2, "text": "我帮您登记", "speaker": "SPEAKER_00"},
    ]}
    call = door.call("")
    del call["turns"]
    status, _ = await door.post(call | {"format": "whisperx", "transcript": transcript})
    again, _ = await door.post(call | {"format": "whisperx", "transcript": json.dumps(transcript)})
    (row,) = await stored(db)
    assert (status, again) == (202, 200)
    assert [item["speaker"] for item in row.facts["turns"]] == ["caller", "agent"]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("transcript", ["", "{}", "[]", "null", "5", "{", '{"segments": [5]}', "[" * 100_000])
def test_a_broken_transcript_is_unreadable_and_nothing_worse(format_: str, transcript: str):
    if format_ == "txt" and transcript:
        assert read_transcript(format_, transcript)  # any text is a text
        return
    with pytest.raises(Unreadable):
        read_transcript(format_, transcript)


async def test_nobody_is_called_by_a_machine(door: Exchange):
    with pytest.raises(PermanentFailure):
        await door.channel.send(outbound(door, "您好"), Attempt(1, "phone"))
