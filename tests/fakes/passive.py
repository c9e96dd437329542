"""The outbox as a channel sees it, for tests: replies are put in by hand, and what became of them is recorded."""

import asyncio
from dataclasses import dataclass, field

from channels.base import PassiveReply


@dataclass
class FakePassive:
    """Records: `confirmed` (text, unsaid), `given_back`, `asked` (inbox ids). Knobs: `expects`, `ready`, `stored`."""

    expects: bool = True
    ready: dict[int, str] = field(default_factory=dict)
    stored: dict[int, str] = field(default_factory=dict)
    answer_all: str | None = None

    def __post_init__(self) -> None:
        self.confirmed: list[tuple[str, str]] = []
        self.given_back: list[str] = []
        self.asked: list[int] = []

    def expect(self, account: str) -> bool:
        return self.expects

    async def wait(self, inbox_id: int, deadline: float) -> PassiveReply | None:
        self.asked.append(inbox_id)
        while asyncio.get_running_loop().time() < deadline:
            text = self.answer_all or self.ready.pop(inbox_id, None)
            if text:
                return self._reply(text)
            await asyncio.sleep(0.005)
        return None

    async def stored_reply(self, inbox_id: int) -> PassiveReply | None:
        text = self.stored.get(inbox_id)
        return self._reply(text) if text else None

    def _reply(self, text: str) -> PassiveReply:
        async def confirm(unsaid: str) -> None:
            self.confirmed.append((text, unsaid))

        async def give_back() -> None:
            self.given_back.append(text)

        return PassiveReply(text, confirm, give_back)
