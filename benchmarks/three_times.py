"""WeChat messages that the platform delivers three times over eight connections at once: is each answered once?

`python -m benchmarks.three_times [MESSAGES]` (10,000 where nothing is said). The assistant is an echo, so that the answers
can be told apart; everything else is the running service. The exit code says whether one was lost or said twice.
"""

import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.running import Service, run_service, wechat_environ
from tests.fakes.rasa import FakeRasa
from tests.fakes.wechat import FakeWeChat, Keys, Window

DELIVERIES = 3
CONNECTIONS = 8
PER_FOLLOWER = 5
STALLED_S = 60
ECHO = "已收到："


@dataclass
class Outcome:
    """What is printed."""

    messages: int
    acknowledged: int = 0
    stored: int = 0
    set_aside: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    """How often each message was answered, in a passive reply or a message of its own."""
    passive: int = 0
    seconds: float = 0.0

    @property
    def lost(self) -> int:
        return self.messages - len(self.answers)

    @property
    def repeated(self) -> int:
        return sum(count > 1 for count in self.answers.values())


async def measure(messages: int) -> Outcome:
    """Deliver so many messages, wait until nothing is left to do, and count what each follower reads."""
    platform, rasa = FakeWeChat(keys=Keys(mode="safe"), second=1.0), FakeRasa(slowest_s=0.0)
    await platform.start()
    await rasa.start()
    keys = platform.keys
    environ = wechat_environ(keys.app_id, keys.secret, keys.token, keys.aes_key, keys.mode, platform.url) | {
        "HUIYIN__ASSISTANT__URL": rasa.url, "HUIYIN__ASSISTANT__TOKEN": rasa.token,
        "HUIYIN__UNDERSTANDING__VECTORS": "false",
    }
    try:
        async with run_service(environ, "property") as service:
            platform.callback = f"{service.url}/channels/wechat/main"
            return await _deliver_all(service, platform, messages)
    finally:
        await platform.close()
        await rasa.close()


async def _deliver_all(service: Service, platform: FakeWeChat, messages: int) -> Outcome:
    outcome, read = Outcome(messages), Counter[str]()
    tries = _make_tries(platform, messages)
    began = time.monotonic()

    async def connection() -> None:
        while tries:
            openid, query, body = tries.pop()
            platform.windows[openid] = Window(PER_FOLLOWER, time.time() + 48 * 3600)
            attempt = await platform.post(query, body)
            outcome.acknowledged += attempt.status == 200
            reply = platform.read_reply(attempt.body) if attempt.status == 200 else None
            if reply:
                outcome.passive += 1
                read.update(_said(reply))

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    await _wait_quiet(service, messages)
    outcome.seconds = time.monotonic() - began
    for body in platform.sent:
        read.update(_said(body["text"]["content"]))
    outcome.answers = read
    outcome.stored = service.ask("SELECT count(*) FROM inbox WHERE channel = 'wechat'")[0][0]
    outcome.set_aside = service.ask("SELECT count(*) FROM inbox WHERE status = 'set_aside'")[0][0]
    return outcome


def _make_tries(platform: FakeWeChat, messages: int) -> list[tuple[str, dict[str, str], str]]:
    """Every message three times, the three near each other, so that connections often hold the same one at once."""
    tries = []
    for number in range(messages):
        openid = f"oFollower{number // PER_FOLLOWER}"
        xml = platform.message(openid, "text", f"<Content><![CDATA[第{number}条]]></Content>")
        tries += [(openid, *platform.wrap(xml))] * DELIVERIES
    for place in range(0, len(tries), CONNECTIONS * DELIVERIES):
        part = tries[place : place + CONNECTIONS * DELIVERIES]
        random.shuffle(part)
        tries[place : place + CONNECTIONS * DELIVERIES] = part
    return tries[::-1]


def _said(text: str) -> list[str]:
    """The messages that a text answers: several answers may be said in one message."""
    return [line.removeprefix(ECHO) for line in text.splitlines() if line.startswith(ECHO)]


async def _wait_quiet(service: Service, messages: int) -> None:
    """Until nothing waits in either queue, or nothing has moved for a minute."""
    left, since = -1, time.monotonic()
    while time.monotonic() - since < STALLED_S:
        now = sum(
            service.ask(f"SELECT count(*) FROM {queue} WHERE status IN ('todo', 'doing')")[0][0]
            for queue in ("inbox", "outbox")
        )
        if not now:
            return
        if now != left:
            left, since = now, time.monotonic()
        await asyncio.sleep(0.5)


async def main(messages: int) -> int:
    found = await measure(messages)
    print(
        f"{messages} messages, each delivered {DELIVERIES} times over {CONNECTIONS} connections: "
        f"{found.acknowledged} of {messages * DELIVERIES} tries acknowledged, {found.stored} stored, "
        f"{len(found.answers)} answered ({found.passive} passive replies), {found.lost} lost, "
        f"{found.repeated} answered more than once, {found.set_aside} set aside; {found.seconds:.0f} s "
        f"({messages / found.seconds:.0f}/s)"
    )
    return int(bool(found.lost or found.repeated or found.set_aside or found.stored != messages))


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)))
