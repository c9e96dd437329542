"""The web chat around its channel: in other pages, without JavaScript, who is there, and the same chat elsewhere."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image
from sqlalchemy import select

from core import clock
from core.conversation import Resident
from tests.fakes.sms import FakeSmsGateway
from tests.service.house import WORKDAY, House, open_house

FRIEND, STRANGER = "https://www.friend.example", "https://stranger.example"
SESSIONS = "/channels/webchat/sessions"
PHONE = "13800550123"


class Browser:
    """One browser with a session of the chat."""

    def __init__(self, house: House, session: dict[str, str]) -> None:
        self.house, self.name, self.token = house, session["session"], session["token"]

    @classmethod
    async def open(cls, house: House) -> "Browser":
        return cls(house, await (await house.client.post(SESSIONS)).json())

    async def ask(self, method: str, path: str, status: int | None = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        response = await self.house.client.request(method, f"{SESSIONS}/{self.name}/{path}", headers=headers, **options)
        assert status is None or response.status == status, await response.text()
        return await response.json() if response.content_type.endswith("json") else response

    async def say(self, text: str) -> None:
        await self.ask("POST", "messages", json={"id": text, "text": text}, status=202)

    async def lines(self) -> list[str]:
        return [item["text"] for item in (await self.ask("GET", "messages"))["items"]]

    async def hears(self, text: str) -> None:
        async def said() -> bool:
            return any(text in line for line in await self.lines())

        assert await self.house.until(said)

    async def conversation(self) -> dict[str, Any]:
        async def found() -> Any:
            items = (await self.house.get(f"/conversations?address=webchat:{self.name}"))["items"]
            return items and items[0]

        return await self.house.until(found)


# In other pages.


@pytest.fixture
async def embedded(tmp_path: Path, empty_database: Path) -> AsyncIterator[House]:
    """An office whose chat stands in a friend's page."""
    opened, close = await open_house(tmp_path, empty_database, web={"embed_origins": [FRIEND]})
    opened.move_clock(WORKDAY)
    yield opened
    await close()


async def test_the_widget_is_one_script_that_asks_nobody_else(embedded: House):
    response = await embedded.client.get("/widget.js")
    source = await response.text()
    assert response.content_type == "text/javascript" and "/chat/frame" in source
    assert "http" not in source.replace("https://…/widget.js", "")


async def test_only_the_listed_origins_may_show_the_chat_in_a_frame(embedded: House):
    response = await embedded.client.get("/chat/frame")
    policy = response.headers["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {FRIEND};" in policy and "default-src 'self'" in policy
    other = await embedded.client.get("/")
    assert "frame-ancestors 'self';" in other.headers["Content-Security-Policy"]


async def test_only_the_listed_origins_may_use_its_addresses(embedded: House):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for origin, status in ((FRIEND, 204), (STRANGER, 403), ("null", 403)):
        response = await embedded.client.options(SESSIONS, headers={"Origin": origin} | asked)
        assert response.status == status
        response = await embedded.client.post(SESSIONS, headers={"Origin": origin})
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if status == 204 else None)
        assert "Origin" in response.headers["Vary"]
    api = await embedded.client.get("/api/v1/tickets", headers={"Origin": FRIEND})
    assert "Access-Control-Allow-Origin" not in api.headers


@pytest.mark.parametrize("origin", ["*", "www.friend.example", "https://a.example/path", "https://a.example 'self'"])
def test_an_origin_is_written_as_one(origin: str):
    from pydantic import ValidationError

    from service.settings import Settings

    with pytest.raises(ValidationError):
        Settings.model_validate({"web": {"embed_origins": [origin]}})


# Who is there.


async def test_a_resident_sees_that_a_person_has_come_and_gone(house: House):
    browser = await Browser.open(house)
    await browser.say("转人工")
    talk = await browser.conversation()
    assert await browser.ask("GET", "state") == {"holder": "assistant", "name": None, "typing": False}
    await house.post(f"/conversations/{talk['id']}/take")
    assert await browser.ask("GET", "state") == {"holder": "staff", "name": "clerk", "typing": False}
    await house.post(f"/conversations/{talk['id']}/give_back")
    assert (await browser.ask("GET", "state"))["holder"] == "assistant"


async def test_the_stream_tells_who_is_there_and_who_is_writing(house: House):
    browser = await Browser.open(house)
    await browser.say("转人工")
    talk = await browser.conversation()
    states: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def read() -> None:
        address = f"{SESSIONS}/{browser.name}/events?state=1&token={browser.token}"
        async with house.client.get(address) as stream:
            async for line in stream.content:
                if line.startswith(b"data: ") and b"holder" in line:
                    states.put_nowait(json.loads(line[6:]))

    reading = asyncio.create_task(read())
    assert (await asyncio.wait_for(states.get(), 10))["holder"] == "assistant"
    await house.post(f"/conversations/{talk['id']}/take")
    assert (await asyncio.wait_for(states.get(), 10))["name"] == "clerk"
    await house.post(f"/conversations/{talk['id']}/typing")
    assert (await asyncio.wait_for(states.get(), 10))["typing"] is True
    await house.post(f"/conversations/{talk['id']}/messages", {"text": "我来看看"}, status=201)
    assert (await asyncio.wait_for(states.get(), 10))["typing"] is False
    await house.post(f"/conversations/{talk['id']}/typing", who="clerk2", status=409)
    await house.post(f"/conversations/{talk['id']}/typing", who="auditor", status=403)
    reading.cancel()


# Without JavaScript.


async def test_the_chat_works_as_plain_pages(house: House):
    page = await (await house.client.get("/chat/plain")).text()
    assert "<script" not in page and "隐私说明" in page
    written = io.BytesIO()
    Image.new("RGB", (9, 9), "blue").save(written, "PNG")
    form = FormData()
    form.add_field("text", "路灯<b>坏了")
    form.add_field("file", written.getvalue(), filename="灯.png", content_type="image/png")
    response = await house.client.post("/chat/plain", data=form, allow_redirects=False)
    assert response.status == 303 and "HttpOnly" in response.headers["Set-Cookie"]
    assert "SameSite=Strict" in response.headers["Set-Cookie"]
    cookies = {"huiyin_chat": response.cookies["huiyin_chat"].value}

    async def answered() -> Any:
        text = await (await house.client.get("/chat/plain", cookies=cookies)).text()
        return text if "您好</div>" in text.replace("\n", "") or "您好\n" in text else None

    page = await house.until(answered)
    assert "路灯&lt;b&gt;坏了" in page
    link = page[page.index("/chat/plain/files/") :].split('"')[0]
    assert await (await house.client.get(link, cookies=cookies)).read() == written.getvalue()
    house.client.session.cookie_jar.clear()
    assert (await house.client.get(link)).status == 404
    assert "路灯" not in await (await house.client.get("/chat/plain", cookies={"huiyin_chat": "x:y"})).text()


async def test_a_program_sent_over_a_plain_page_is_refused_in_words(house: House):
    form = FormData()
    form.add_field("file", b"MZ" + bytes(100), filename="a.png", content_type="image/png")
    page = await (await house.client.post("/chat/plain", data=form)).text()
    assert "不能接收" in page
    assert (await house.get("/inbox"))["items"] == []


# The same chat elsewhere.


@pytest.fixture
async def gateway() -> AsyncIterator[FakeSmsGateway]:
    opened = FakeSmsGateway("token-of-the-gateway")
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
async def texting(tmp_path: Path, empty_database: Path, gateway: FakeSmsGateway) -> AsyncIterator[House]:
    """An office that can send SMS."""
    sms = {"kind": "http", "url": gateway.url, "token": gateway.token}
    opened, close = await open_house(tmp_path, empty_database, sms=sms)
    opened.move_clock(WORKDAY)
    yield opened
    await close()


async def code_for(house: House, gateway: FakeSmsGateway, browser: Browser, phone: str = PHONE) -> str:
    before = len(gateway.sent)
    assert "code" not in await browser.ask("POST", "claim", 202, json={"phone": phone})

    async def arrived() -> Any:
        return list(gateway.sent.values())[before:]

    (message,) = await house.until(arrived)
    assert message["to"] == "+86" + PHONE
    return "".join(sign for sign in message["text"].partition("验证码")[2][:7] if sign.isdigit())


async def test_a_code_by_sms_opens_the_earlier_chat_on_another_device(texting: House, gateway: FakeSmsGateway):
    at_home, at_work = await Browser.open(texting), await Browser.open(texting)
    await at_home.say("路灯坏了")
    await at_home.hears("您好")
    code = await code_for(texting, gateway, at_home)
    assert await at_home.ask("POST", "claim/confirm", 200, json={"code": code}) == {"proven": True, "earlier": None}
    code = await code_for(texting, gateway, at_work, "138 0055 0123")
    told = await at_work.ask("POST", "claim/confirm", 200, json={"code": code})
    again = Browser(texting, told["earlier"])
    assert again.name == at_home.name and "路灯坏了" in await again.lines()
    assert "路灯坏了" in await at_home.lines()  # The first device goes on as before.
    async with texting.db.reading() as session:
        phones = [row.phone for row in await session.scalars(select(Resident))]
    assert "+86" + PHONE in phones


async def test_who_never_proved_the_number_is_not_opened_to_who_did(texting: House, gateway: FakeSmsGateway):
    other, mine = await Browser.open(texting), await Browser.open(texting)
    await other.say(f"我的电话是{PHONE}")
    await code_for(texting, gateway, other)  # asked for, never entered
    texting.move_clock((clock.now() + timedelta(minutes=2)).isoformat())
    code = await code_for(texting, gateway, mine)
    assert (await mine.ask("POST", "claim/confirm", 200, json={"code": code}))["earlier"] is None


async def test_a_code_is_for_its_session_once_soon_and_few_tries(texting: House, gateway: FakeSmsGateway):
    first, second = await Browser.open(texting), await Browser.open(texting)
    code = await code_for(texting, gateway, first)
    await second.ask("POST", "claim/confirm", 409, json={"code": code})
    wrong = "000000" if code != "000000" else "000001"
    for _ in range(5):
        await first.ask("POST", "claim/confirm", 422, json={"code": wrong})
    await first.ask("POST", "claim/confirm", 409, json={"code": code})
    await first.ask("POST", "claim", 429, json={"phone": PHONE})  # not twice within a minute
    texting.move_clock((clock.now() + timedelta(minutes=2)).isoformat())
    code = await code_for(texting, gateway, first)
    texting.move_clock((clock.now() + timedelta(minutes=11)).isoformat())
    await first.ask("POST", "claim/confirm", 409, json={"code": code})


@pytest.mark.parametrize("body", [{}, {"phone": ""}, {"phone": "hello"}, {"phone": 5}, [], "x"])
async def test_what_is_no_number_gets_no_code(texting: House, gateway: FakeSmsGateway, body: Any):
    browser = await Browser.open(texting)
    await browser.ask("POST", "claim", 422, json=body)
    assert gateway.sent == {}


async def test_a_claim_needs_the_session_s_token_and_a_gateway(house: House):
    browser = await Browser.open(house)
    await browser.ask("POST", "claim", 409, json={"phone": PHONE})
    browser.token = "wrong"
    await browser.ask("POST", "claim", 401, json={"phone": PHONE})
