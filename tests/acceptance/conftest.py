"""The office that most acceptance tests share: the real service, the real assistant, one WeChat account."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service import bot
from tests.acceptance.running import Chat, Running, running, settings_of
from tests.fakes.rasa import FakeRasa
from tests.fakes.wechat import FakeWeChat, Keys


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def wechat() -> AsyncIterator[FakeWeChat]:
    """The platform, in safe mode and with its real patience of five seconds."""
    platform = FakeWeChat(keys=Keys(mode="safe"), second=1.0)
    await platform.start()
    yield platform
    await platform.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def office(tmp_path_factory: pytest.TempPathFactory, wechat: FakeWeChat) -> AsyncIterator[Running]:
    """Trained if need be, started, ready; at the end SIGTERM brings exit code 0 and leaves no child."""
    await bot.train(True)
    # A machine that is busy with other tests must not make the assistant look as if it were away.
    settings = {**settings_of(wechat), "assistant__timeout_s": "90"}
    async with running(tmp_path_factory.mktemp("office"), **settings) as service:
        wechat.callback = f"http://127.0.0.1:{service.port}/channels/wechat/main"
        await service.wait_assistant()
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def chat(office: Running) -> Chat:
    """A resident who has just opened the web chat."""
    return await Chat.open(office)


@pytest_asyncio.fixture(loop_scope="session")
async def rasa() -> AsyncIterator[FakeRasa]:
    """An assistant that only echoes: for what must start in seconds."""
    fake = FakeRasa()
    await fake.start()
    yield fake
    await fake.close()


@pytest.fixture
def echoing(rasa: FakeRasa) -> dict[str, str]:
    """Settings of a service with the echoing assistant, and with nothing that takes long to start."""
    return {
        "assistant__url": rasa.url,
        "assistant__token": rasa.token,
        "understanding__vectors": "false",
        "web__limits__webchat_per_minute": "100000",
    }
