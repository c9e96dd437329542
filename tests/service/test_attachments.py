"""Files of messages: who may read them, how they are served, and how they come from WeChat."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select, update

from core import clock
from core.attachments import StoredFile
from service import media
from tests.fakes.wechat import FakeWeChat
from tests.service.house import House, open_house

FOLLOWER = "oFollower_0001"


def picture(colour: str = "red") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (20, 20), colour).save(written, "PNG")
    return written.getvalue()


async def send_file(house: House, content: bytes) -> dict[str, Any]:
    """A resident of the web chat sends a file; its item as staff see it."""
    session = await (await house.client.post("/channels/webchat/sessions")).json()
    address = f"/channels/webchat/sessions/{session['session']}/attachments?name=%E6%BC%8F%E6%B0%B4.png"
    headers = {"Authorization": f"Bearer {session['token']}"}
    assert (await house.client.post(address, data=content, headers=headers)).status == 202
    return await the_file_of(house, f"webchat:{session['session']}")


async def the_file_of(house: House, address: str) -> dict[str, Any]:
    async def found() -> Any:
        for talk in (await house.get("/conversations"))["items"]:
            if talk["address"] == address:
                items = (await house.get(f"/messages?conversation={talk['id']}"))["items"]
                files = [file for item in items for file in item["attachments"]]
                return files and {**files[0], "conversation": talk["id"]}

    return await house.until(found)


async def test_a_file_is_a_download_for_who_has_a_token(house: House):
    file = await send_file(house, picture())
    assert (file["name"], file["type"], file["size"]) == ("漏水.png", "image/png", len(picture()))
    assert file["url"] == f"/api/v1/attachments/{file['id']}"
    response = await house.call("GET", f"/attachments/{file['id']}")
    assert response.status == 200 and await response.read() == picture()
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Type"] == "image/png"
    assert (await house.call("GET", f"/attachments/{file['id']}", None)).status == 401


@pytest.mark.parametrize("name", ["0", "99999", "x", "1%00", "..%2F..%2Fhuiyin.db", "9" * 30])
async def test_no_other_name_opens_anything(house: House, name: str):
    await send_file(house, picture())
    assert (await house.call("GET", f"/attachments/{name}")).status == 404


async def attach_ticket(house: House, conversation: int, **fields: Any) -> str:
    from ticketing.model import Ticket

    ticket = await house.register(**fields)
    async with house.db.writing() as session:
        await session.execute(
            update(Ticket).where(Ticket.number == ticket["number"]).values(conversation_id=conversation)
        )
    return ticket["number"]


async def test_who_may_see_the_ticket_may_see_its_files_and_nobody_else(house: House):
    file = await send_file(house, picture())
    path = f"/attachments/{file['id']}"
    for who in ("officer", "engineer", "supervisor", "editor", "mail", "administrator"):
        assert (await house.call("GET", path, who)).status == 404, who
    number = await attach_ticket(house, file["conversation"])
    await house.do(number, "accept")
    await house.do(number, "assign", department="engineering")
    expected = {"engineer": 200, "supervisor": 200, "clerk": 200, "auditor": 200, "guard": 404, "editor": 404}
    assert {who: (await house.call("GET", path, who)).status for who in expected} == expected


async def test_a_report_s_files_are_the_inspectors_alone(house: House):
    file = await send_file(house, picture())
    await attach_ticket(house, file["conversation"], category=None, kind="report")
    path = f"/attachments/{file['id']}"
    expected = {"inspector": 200, "clerk": 404, "supervisor": 404, "officer": 404, "auditor": 404}
    assert {who: (await house.call("GET", path, who)).status for who in expected} == expected


async def test_the_assistant_reads_no_files(house: House):
    file = await send_file(house, picture())
    assert (await house.call("GET", f"/attachments/{file['id']}", "assistant")).status == 404


async def test_an_officer_brings_a_file_for_his_reply(house: House):
    response = await house.call("POST", "/attachments?name=../%E5%9B%9E%E5%8D%95.exe", "officer", picture())
    assert response.status == 201
    file = await response.json()
    assert file["name"] == "回单.png" and response.headers["Location"] == file["url"]
    assert (await house.call("GET", f"/attachments/{file['id']}", "officer")).status == 200
    assert (await house.call("GET", f"/attachments/{file['id']}", "supervisor")).status == 404


@pytest.mark.parametrize(
    ("content", "who", "status"),
    [
        pytest.param(b"MZ" + bytes(200), "officer", 415, id="a program"),
        pytest.param(b"<svg onload=alert(1)>", "officer", 415, id="a page"),
        pytest.param(b"", "officer", 422, id="nothing"),
        pytest.param(picture(), "auditor", 403, id="who only reads"),
        pytest.param(picture() + bytes(2_000_000), "officer", 413, id="too large"),
    ],
)
async def test_what_is_no_file_for_a_reply_is_refused(
    tmp_path: Path, empty_database: Path, content: bytes, who: str, status: int
):
    house, close = await open_house(tmp_path, empty_database, attachments={"max_bytes": 1_000_000})
    assert (await house.call("POST", "/attachments", who, content)).status == status
    await close()


async def test_a_nul_in_a_body_or_an_address_is_no_fault_of_ours(house: House):
    ticket = await house.register(description="空\x00字")
    assert ticket["description"] == "空\ufffd字"
    for path in ("/tickets/%00", "/tickets?q=a%00", "/guides?q=%00", "/conversations?address=%00"):
        assert (await house.call("GET", path)).status == 404


# Files that lie at WeChat.


async def bring(platform: FakeWeChat, type_: str, media_id: str, more: str = "") -> str | None:
    xml = platform.message(FOLLOWER, type_, f"<MediaId><![CDATA[{media_id}]]></MediaId>{more}")
    return await platform.deliver(FOLLOWER, xml)


async def said_later(house: House, platform: FakeWeChat) -> str:
    """What was not ready within the platform's patience comes as a customer-service message."""

    async def said() -> str:
        return "".join(platform.texts(FOLLOWER))

    return str(await house.until(said))


async def kept_file(house: House) -> dict[str, Any]:
    async def fetched() -> Any:
        file = await the_file_of(house, f"wechat:{FOLLOWER}")
        return file if file["size"] else None

    return await house.until(fetched)


async def test_a_picture_is_fetched_from_wechat_and_kept(followed: House, wechat: FakeWeChat):
    wechat.media["m-1"] = ("image/jpeg", picture())
    reply = await bring(wechat, "image", "m-1", "<PicUrl>http://127.0.0.1:9/elsewhere.jpg</PicUrl>")
    assert "图片" in (reply or await said_later(followed, wechat))
    file = await kept_file(followed)
    assert (file["name"], file["type"]) == ("image.png", "image/png")  # its content says so, not the platform
    assert await (await followed.call("GET", f"/attachments/{file['id']}")).read() == picture()


async def test_a_voice_without_words_is_kept_and_words_are_asked_for(followed: House, wechat: FakeWeChat):
    wechat.media["v-1"] = ("audio/amr", b"#!AMR\n" + bytes(64))
    reply = await bring(wechat, "voice", "v-1", "<Format>amr</Format>")
    assert "语音" in (reply or await said_later(followed, wechat))
    assert (await kept_file(followed))["type"] == "audio/amr"


async def test_a_voice_that_was_recognised_is_a_message_like_any_other(followed: House, wechat: FakeWeChat):
    wechat.media["v-1"] = ("audio/amr", b"#!AMR\n" + bytes(64))
    await bring(wechat, "voice", "v-1", "<Recognition><![CDATA[电梯坏了。]]></Recognition>")
    assert (await kept_file(followed))["type"] == "audio/amr"
    assert followed.rasa.turns[-1]["message"] == "电梯坏了。"


async def test_while_wechat_is_busy_the_file_is_tried_again(followed: House, wechat: FakeWeChat):
    wechat.media["m-1"] = ("image/png", picture())
    wechat.scripted.extend(["http:503"])
    await bring(wechat, "image", "m-1")
    file = await the_file_of(followed, f"wechat:{FOLLOWER}")
    assert (await followed.call("GET", f"/attachments/{file['id']}")).status == 409

    async def tried() -> Any:
        async with followed.db.reading() as session:
            return await session.scalar(select(StoredFile.last_error).where(StoredFile.id == file["id"]))

    assert "503" in await followed.until(tried)
    followed.move_clock((clock.now() + timedelta(minutes=1)).isoformat())
    await media.fetch_due(followed.runtime)
    assert (await kept_file(followed))["size"] == len(picture())


async def test_what_is_no_picture_is_not_kept_and_says_why(followed: House, wechat: FakeWeChat):
    wechat.media["m-1"] = ("image/jpeg", b"MZ" + bytes(100))
    await bring(wechat, "image", "m-1")
    file = await the_file_of(followed, f"wechat:{FOLLOWER}")

    async def refused() -> Any:
        response = await followed.call("GET", f"/attachments/{file['id']}")
        return response.status == 409 and "could not be kept" in (await response.json())["detail"]

    assert await followed.until(refused)
