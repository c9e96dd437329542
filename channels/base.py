"""What a channel is, what it is given, and the three ways in which sending can fail."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from core.message import OutboundMessage


class SendError(Exception):
    """The root of the three. `detail` is what the operator reads in the outbox; it holds no secret."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class TemporaryFailure(SendError):
    """The platform is away, busy or out of quota. Try the same step again later, until its deadline."""


class PermanentFailure(SendError):
    """The platform refuses this message or this person for good. Go on with the next step of the plan."""


class WindowClosed(SendError):
    """The platform lets us speak only for a while after the resident did, and that is over.

    Go on with the next step of the plan; when the resident writes again, this step works again.
    """


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took the message. `announced`: only a notice with the link, not the text itself."""

    platform_id: str | None
    announced: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which try of which outbox row a send is.

    `outbox_id` stays the same through all tries, so that a channel can make a retry no duplicate.
    `notice` gives `number`, `title`, `state` and `at` (already written for reading) to a step that announces.
    """

    outbox_id: int
    step: str
    notice: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can, as data: the README's table and the delivery plan read it."""

    max_chars: int | None
    """The longest single message; longer texts are split at sentences. None: no limit that matters."""
    media: tuple[str, ...]
    """Kinds of files a resident can send: image, audio, video, document."""
    window: timedelta | None
    """How long after the resident's last message we may speak; None: always."""
    carries: tuple[str, ...]
    """Steps of the delivery plan that deliver the text itself."""
    announces: tuple[str, ...]
    """Steps that only deliver a notice with a link to the text."""
    pushes: bool
    """False: we can only answer within the resident's own request, so replies wait for his next message."""
    idempotent_send: bool
    """True: the same outbox row sent twice reaches the resident once."""
    proof: str = "its platform accepted it"
    """What shows that a text was delivered."""


class Channel(Protocol):
    """One account of one platform: its protocol and nothing else."""

    name: str
    account: str
    capabilities: Capabilities

    def routes(self) -> Iterable[web.RouteDef]:
        """The callbacks its platform (or its residents' browsers) use."""

    def secrets(self) -> list[str]:
        """What must never reach a log."""

    async def start(self) -> None:
        """Begin background work, if there is any."""

    async def close(self) -> None:
        """End background work and open streams. Call it before the web server waits for its handlers."""

    async def send(self, message: OutboundMessage, attempt: Attempt) -> Sent:
        """Hand one message to the platform. Raises one of the three errors; anything else is a bug."""

    async def forget(self, session: AsyncSession, value: str) -> None:
        """Delete what this channel itself keeps about an address, in the caller's transaction (erasure)."""


@dataclass(frozen=True, slots=True)
class PassiveReply:
    """An answer that is ready to be given within the platform's own request, claimed for this one caller.

    `confirm(unsaid)` marks its outbox rows sent, once the response was written; `unsaid` is the end of the
    text that did not fit and waits for the next chance (mostly ""). `give_back()` undoes the claim.
    """

    text: str
    confirm: Callable[[str], Awaitable[None]]
    give_back: Callable[[], Awaitable[None]]
    choices: tuple[str, ...] = ()


class PassiveReplies(Protocol):
    """The outbox as a channel with passive replies sees it."""

    def expect(self, account: str) -> bool:
        """Whether the backlog says that an answer will be ready in time to be a passive reply."""

    async def wait(self, inbox_id: int, deadline: float) -> PassiveReply | None:
        """The answer to this message, as soon as it is ready; None at `deadline` (the event loop's time).

        On an account that cannot push, everything else that waits for this resident comes with it.
        """

    async def stored_reply(self, inbox_id: int) -> PassiveReply | None:
        """What can be said to this message's sender now, without waiting; None when there is nothing.

        Includes what was already given to an earlier try of this same message, whose response was
        evidently lost, and on an account that cannot push whatever waits for this resident.
        """


class News(Protocol):
    """Wakes whoever waits for a topic."""

    def notify(self, topic: str) -> None:
        """Wake everybody who waits for the topic, after the commit that is the news."""

    def listen(self, topic: str) -> AbstractContextManager[asyncio.Event]:
        """A bell that stays rung until it is cleared: clear it, look, then wait, and nothing is missed."""

    async def wait(self, topic: str, seconds: float, /) -> bool:
        """True when the topic rang within so many seconds."""


class LocalNews:
    """News within one process."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    def notify(self, topic: str) -> None:
        for event in self._waiting.get(topic, ()):
            event.set()

    @contextmanager
    def listen(self, topic: str) -> Iterator[asyncio.Event]:
        bell = asyncio.Event()
        self._waiting[topic].add(bell)
        try:
            yield bell
        finally:
            self._waiting[topic].discard(bell)
            if not self._waiting[topic]:
                del self._waiting[topic]

    async def wait(self, topic: str, seconds: float, /) -> bool:
        with self.listen(topic) as bell:
            return await rings(bell, seconds)


async def rings(bell: asyncio.Event, seconds: float) -> bool:
    """Whether the bell is rung within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await bell.wait()
    except TimeoutError:
        return False
