"""What a running service is made of: settings and connections, built once and handed to whoever works."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp
from prometheus_client import Counter, Gauge

from channels.base import Channel, LocalNews
from channels.files import FileStore
from core import clock
from core.db import Database
from core.inbox_writer import InboxWriter
from service.assistant import Assistant
from service.categories import Categories
from service.children import Child
from service.knowledge import Knowledge
from service.pace import Pace
from service.settings import Settings
from ticketing.office import Office

WITHOUT_ASSISTANT = Counter(
    "huiyin_turns_without_assistant_total", "Messages that a clerk got because the assistant was away"
)
BACKLOG = Gauge("huiyin_backlog", "Rows of the inbox and the outbox that are not done", ["queue", "status"])
WORKER_IS_LATE = timedelta(seconds=60)


@dataclass(slots=True)
class Runtime:
    """The parts, by name."""

    settings: Settings
    db: Database
    http: aiohttp.ClientSession
    news: LocalNews
    writer: InboxWriter
    assistant: Assistant
    office: Office
    knowledge: Knowledge
    categories: Categories
    pace: Pace
    files: FileStore
    channels: dict[tuple[str, str], Channel] = field(default_factory=dict)
    """By channel and account."""
    assistant_token: str = ""
    """The token of role `assistant`, made anew at each start."""
    children: list[Child] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the service ends: what works in loops ends between two transactions, not in the middle of one."""
    learning_for: str = ""
    """Who asked that the categories learn, until they begin to."""
    beats: dict[str, datetime] = field(default_factory=dict)
    turns_without_assistant: Counter = WITHOUT_ASSISTANT
    backlog: Gauge = BACKLOG

    def beat(self, worker: str) -> None:
        """A worker says that it lives."""
        self.beats[worker] = clock.now()

    def is_late(self, worker: str) -> bool:
        """Whether a worker has been silent for too long."""
        beat = self.beats.get(worker)
        return beat is None or clock.now() - beat > WORKER_IS_LATE
