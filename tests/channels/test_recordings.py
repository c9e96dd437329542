"""Calls that come as files: by the watched folder, and what a file's name says."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from channels.phone import Phone
from channels.recordings import WatchedFolder, read_file
from channels.transcripts import Unreadable
from core.db import Database
from core.queues import Status
from tests.channels.contract import running_writer, stored

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TEXT = "话务员：您好\n市民：路灯坏了".encode()


@pytest.mark.parametrize(
    ("name", "caller", "started_at"),
    [
        pytest.param("call.txt", "", NOON, id="nothing: unknown, the file's own time"),
        pytest.param("13800001234_20261123-093000.txt", "+8613800001234", datetime(2026, 11, 23, 1, 30, tzinfo=UTC),
                     id="as recorders write it"),
        pytest.param("20261123093015-0571-88881234.txt", "+8657188881234",
                     datetime(2026, 11, 23, 1, 30, 15, tzinfo=UTC), id="a fixed line, seconds"),
        pytest.param("2026-13-45_1234567890123456.txt", "", NOON, id="digits that are neither"),
    ],
)
def test_a_name_says_who_called_and_when(name: str, caller: str, started_at: datetime):
    call = read_file(name, TEXT, NOON)
    assert (call.caller, call.started_at) == (caller, started_at)
    assert [(turn.speaker, turn.text) for turn in call.turns] == [("agent", "您好"), ("caller", "路灯坏了")]
    assert call.call_id.startswith(name)


def test_the_same_bytes_under_the_same_name_have_the_same_id_and_others_another():
    first, again, other = [read_file("a.txt", text, NOON) for text in (TEXT, TEXT, TEXT + "。".encode())]
    assert first.call_id == again.call_id != other.call_id


def test_the_encoding_of_chinese_windows_is_read():
    assert read_file("a.txt", TEXT.decode().encode("gb18030"), NOON).turns[1].text == "路灯坏了"


def test_a_file_with_the_body_of_the_interface_is_taken_at_its_word():
    body = {"call_id": "c-7", "caller": "13800001234", "started_at": "2026-11-23T09:00:00+08:00",
            "recording": "https://rec.example/7.mp3", "turns": [{"speaker": "caller", "text": "停水了"}]}
    call = read_file("13911112222.json", json.dumps(body).encode(), NOON)
    assert (call.call_id, call.caller, call.recording) == ("c-7", "+8613800001234", "https://rec.example/7.mp3")
    assert call.started_at == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xff\xfe\x00\x81\xff", id="no text"),
        pytest.param(b'{"turns": []}', id="no turns"),
        pytest.param(b'{"segments": [5]}', id="a broken transcript"),
        pytest.param(json.dumps({"turns": [{"speaker": "caller", "text": "a"}], "recording": "javascript:x"}).encode(),
                     id="a recording that is no address"),
    ],
)
def test_what_is_no_call_is_unreadable(raw: bytes):
    with pytest.raises(Unreadable):
        read_file("a.json", raw, NOON)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "calls").mkdir()
    return tmp_path / "calls"


def drop(folder: Path, name: str, content: bytes) -> None:
    """A file that a recorder finished a minute ago."""
    (folder / name).write_bytes(content)
    os.utime(folder / name, (time.time() - 60, time.time() - 60))


async def look_at(db: Database, folder: Path, times: int = 1) -> list[Any]:
    async with running_writer(db) as writer:
        phone = Phone(SecretStr(""), writer, db)
        watched = WatchedFolder(folder, phone.take, phone.put_aside)
        for _ in range(times):
            await watched.look()
    return await stored(db)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def test_files_are_taken_in_once_and_moved_and_a_bad_one_stops_nothing(db: Database, folder: Path):
    drop(folder, "a-bad.json", b'{"segments": [5]}')
    drop(folder, "b.txt", TEXT)
    drop(folder, "c.srt", "1\n00:00:01,000 --> 00:00:02,000\n市民：电梯坏了\n".encode())
    drop(folder, "notes.docx", b"PK")
    drop(folder, ".hidden.txt", TEXT)
    (folder / "growing.txt").write_bytes(TEXT[:10])
    rows = await look_at(db, folder, times=2)
    assert sorted((row.status, bool(row.raw)) for row in rows) == [
        (Status.SET_ASIDE, True), (Status.TODO, True), (Status.TODO, True)
    ]
    assert names(folder) == {
        "unreadable/a-bad.json", "done/b.txt", "done/c.srt", "notes.docx", ".hidden.txt", "growing.txt"
    }


async def test_the_same_file_left_again_is_the_same_call_whatever_its_time(db: Database, folder: Path):
    for age in (60, 5000):
        drop(folder, "b.txt", TEXT)
        os.utime(folder / "b.txt", (time.time() - age, time.time() - age))
        rows = await look_at(db, folder)
    assert len(rows) == 1 and names(folder) == {"done/b.txt", "done/b-1.txt"}


async def test_what_cannot_be_stored_stays_where_it_is(db: Database, folder: Path):
    drop(folder, "b.txt", TEXT)
    async with db.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE inbox RENAME TO inbox_away")
    async with running_writer(db) as writer:
        phone = Phone(SecretStr(""), writer, db)
        await WatchedFolder(folder, phone.take, phone.put_aside).look()
    assert names(folder) == {"b.txt"}
    async with db.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE inbox_away RENAME TO inbox")
    assert len(await look_at(db, folder)) == 1
