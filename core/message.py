"""What every channel speaks: an address, an attachment, a message in, a message out."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody can be reached: `wechat:oX…`, `email:a@b`, `phone:+86…`, `webchat:…`, `desk:…`."""

    channel: str
    value: str

    def __str__(self) -> str:
        return f"{self.channel}:{self.value}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """`channel:value`; ValueError when there is no channel."""
        channel, colon, value = text.partition(":")
        if not (channel and colon and value):
            raise ValueError("an address is written channel:value, such as email:a@example.org")
        return cls(channel, value)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message. `media_id` is the platform's handle while the bytes are not fetched."""

    name: str
    type: str
    size: int = 0
    path: str | None = None
    media_id: str | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message from a resident, as its channel understood it.

    `external_id` is unique within (channel, account); `sender` is the address without its channel;
    `raw` is the message as it came; `event` names a platform event (`subscribe`) where there is no text.
    """

    channel: str
    account: str
    external_id: str
    sender: str
    text: str
    received_at: datetime
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    raw: bytes = b""
    event: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """What the platform says beside the text: a location, a QR scene, a subject, the turns of a call."""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to a resident (or `staff:<name>`)."""

    channel: str
    account: str
    recipient: str
    text: str
    origin: str
    """assistant·reply·receipt·supplement·decline·extension·progress·survey·notice·staff"""
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    choices: tuple[str, ...] = ()
    link: str | None = None
    """Where the whole text can be read, for a step that can only announce it."""


def storable(value: Any) -> Any:
    """Texts, and the texts inside lists and objects, as every database keeps them.

    PostgreSQL keeps no NUL, and half a surrogate pair cannot be written anywhere; both are replaced by the mark
    that stands for an unreadable character, so that a reader sees that something was there.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value
