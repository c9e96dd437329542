"""SMS goes out once, whole or with its link, and its reports come back."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError

import channels.sms as sms
from channels.base import Attempt, PermanentFailure, TemporaryFailure
from channels.sms import Sms, SmsSettings
from core.message import OutboundMessage
from tests.fakes.server import LoopbackServer
from tests.fakes.sms import FakeSmsGateway

TOKEN = "token-of-the-gateway"


class Office:
    """The channel, its gateway and what the reports changed."""

    def __init__(self) -> None:
        self.gateway = FakeSmsGateway(TOKEN)
        self.reports: list[tuple[int, str, str | None]] = []
        self.broken = False
        self.channel: Sms
        self.url = ""

    async def on_report(self, outbox_id: int, status: str, detail: str | None) -> bool:
        if self.broken:
            raise OSError("disk full")
        self.reports.append((outbox_id, status, detail))
        return outbox_id < 100

    async def send(self, text: str, outbox_id: int = 1, to: str = "13800001234", link: str | None = None) -> Any:
        message = OutboundMessage("sms", "main", to, text, "reply", link=link)
        return await self.channel.send(message, Attempt(outbox_id, "sms"))

    async def report(self, body: Any, token: str = TOKEN) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(headers=headers) as http, http.post(self.url, json=body) as answer:
            return answer.status


@pytest.fixture
async def office(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(sms, "TIMEOUT", aiohttp.ClientTimeout(total=0.4))
    office = Office()
    await office.gateway.start()
    async with aiohttp.ClientSession() as http:
        settings = SmsSettings(kind="http", url=office.gateway.url, token=SecretStr(TOKEN), max_chars=60)
        office.channel = Sms(settings, http, office.on_report)
        server = LoopbackServer(office.channel.routes())
        await server.start()
        office.url = f"{server.url}/channels/sms/reports"
        yield office
        await server.close()
    await office.gateway.close()


async def test_a_text_that_fits_is_carried_once_under_its_id(office: Office):
    for _ in range(2):
        sent = await office.send("已经修好。", 7)
        assert (sent.platform_id, sent.announced) == ("7", False)
    assert office.gateway.sent == {"7": {"id": "7", "to": "+8613800001234", "text": "已经修好。"}}


async def test_a_longer_text_is_announced_by_its_link(office: Office):
    sent = await office.send("很长。" * 100, link="https://office.example/r/abc")
    text = office.gateway.sent["1"]["text"]
    assert sent.announced and len(text) == 60 and text.endswith("… https://office.example/r/abc")


async def test_a_longer_text_without_a_link_goes_another_way(office: Office):
    with pytest.raises(PermanentFailure):
        await office.send("很长。" * 100)
    assert not office.gateway.sent


@pytest.mark.parametrize(
    ("trouble", "error"),
    [(400, PermanentFailure), (404, PermanentFailure), (500, TemporaryFailure), (302, TemporaryFailure),
     ("slow", TemporaryFailure)],
)
async def test_every_trouble_says_what_to_do_next(office: Office, trouble: Any, error: type[Exception]):
    office.gateway.scripted.append(trouble)
    with pytest.raises(error):
        await office.send("好")
    assert not office.gateway.sent


async def test_a_gateway_that_is_gone_is_temporary(office: Office):
    await office.gateway.close()
    with pytest.raises(TemporaryFailure) as caught:
        await office.send("好")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("to", ["", "oX123", "号码"])
async def test_what_is_no_number_is_not_tried(office: Office, to: str):
    with pytest.raises(PermanentFailure):
        await office.send("好", to=to)


async def test_a_report_reaches_the_delivery(office: Office):
    assert await office.report({"id": "7", "status": "failed", "detail": "空号"}) == 200
    assert office.reports == [(7, "failed", "空号")]


@pytest.mark.parametrize(
    ("body", "status"),
    [([], 422), ({}, 422), ({"id": "x", "status": "failed"}, 422), ({"id": "1", "status": "read"}, 422),
     ({"id": "999", "status": "delivered"}, 404)],
)
async def test_a_wrong_report_is_refused(office: Office, body: Any, status: int):
    assert await office.report(body) == status


async def test_a_forged_report_is_refused(office: Office):
    assert await office.report({"id": "7", "status": "failed"}, token="wrong") == 401
    assert office.reports == []


async def test_a_report_that_cannot_be_stored_is_not_acknowledged(office: Office):
    office.broken = True
    assert await office.report({"id": "7", "status": "failed"}) == 500


def test_a_gateway_needs_an_address():
    with pytest.raises(ValidationError):
        SmsSettings(kind="http")
