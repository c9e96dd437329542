"""A full disk refuses, so that platforms and browsers send again; nothing is acknowledged that is not stored.

The disk is full for the service alone: the kernel lets that one process write no byte to any file (RLIMIT_FSIZE),
while it runs and without its knowing.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.running import Chat, Follower, Running, running, settings_of
from tests.fakes.wechat import FakeWeChat, Keys

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can fill another process's disk"),
]


@contextmanager
def full_disk(service: Running) -> Iterator[None]:
    assert service.process
    before = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_refuses_instead_of_acknowledging(tmp_path: Path, echoing: dict[str, str]):
    platform = FakeWeChat(keys=Keys(mode="safe"), second=1.0)
    await platform.start()
    try:
        async with running(tmp_path, **echoing, **settings_of(platform)) as service:
            platform.callback = f"http://127.0.0.1:{service.port}/channels/wechat/main"
            chat, follower = await Chat.open(service), Follower(service, platform, "oPatient")
            assert await chat.say("之前") == "已收到：之前"
            query, body = platform.wrap(
                platform.message("oPatient", "text", "<Content><![CDATA[微信上说]]></Content>")
            )
            with full_disk(service):
                assert await chat.post("while-full", "满的时候") >= 500
                attempt = await platform.post(query, body)
                assert attempt.status is None or attempt.status >= 500
                async with service.http.post("/channels/webchat/sessions") as response:
                    assert response.status >= 500
                async with service.http.get("/healthz") as response:
                    assert response.status == 200
            assert [item["id"] for item in await chat.lines() if item["from"] == "resident"] == ["m1"]
            assert len(await service.items("/inbox")) == 1
            assert await chat.post("while-full", "满的时候") == 202
            await chat.hears("已收到：满的时候", "assistant")
            attempt = await platform.post(query, body)
            assert attempt.status == 200
            assert "已收到：微信上说" in (
                platform.read_reply(attempt.body) or await service.until(follower.pushed)
            )
    finally:
        await platform.close()
