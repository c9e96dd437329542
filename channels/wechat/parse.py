"""The platform's XML → InboundMessage, for every type of message and event; unknown ones are kept too."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from wechatpy import parse_message
from wechatpy.messages import BaseMessage

from core.message import Attachment, InboundMessage

_OPENID = re.compile(r"[\w.@\-]{1,128}")


class Unreadable(Exception):
    """Rightly signed, but not a message. Keep it raw, set it aside, acknowledge it."""


Part = tuple[str, tuple[Attachment, ...], dict[str, Any]]
"""Text, attachments and facts of one type of message."""


def _text(message: BaseMessage) -> Part:
    return message.content or "", (), {}


def _media(name: str, mime: str) -> Callable[[BaseMessage], Part]:
    def read(message: BaseMessage) -> Part:
        return "", (Attachment(name, mime, media_id=message.media_id),), {}

    return read


def _voice(message: BaseMessage) -> Part:
    """With recognition switched on, the platform's transcript is the text; the recording stays evidence."""
    spoken = (message.recognition or "").strip()
    attachment = Attachment("voice.amr", "audio/amr", media_id=message.media_id)
    return spoken, (attachment,), {"recognised": bool(spoken)}


def _location(message: BaseMessage) -> Part:
    """The label is what a resident would have written; the coordinates are exact."""
    latitude, longitude = float(message.location_x), float(message.location_y)
    place = {"latitude": latitude, "longitude": longitude, "label": message.label or ""}
    return message.label or f"{latitude},{longitude}", (), {"location": place}


def _link(message: BaseMessage) -> Part:
    link = {"title": message.title or "", "description": message.description or "", "url": message.url or ""}
    return "\n".join(dict.fromkeys(value for value in link.values() if value)), (), {"link": link}


def _file(message: BaseMessage) -> Part:
    """The platform lets no account fetch such a file: its name is kept, and words are asked for."""
    data = message._data
    size = str(data.get("FileTotalLen") or "0")
    name = str(data.get("Title") or "file")[:120]
    attachment = Attachment(name, "application/octet-stream", int(size) if size.isdecimal() else 0)
    return "", (attachment,), {"file": {"name": name, "about": str(data.get("Description") or "")}}


MESSAGES: dict[str, Callable[[BaseMessage], Part]] = {
    "text": _text,
    "image": _media("image.jpg", "image/jpeg"),
    "voice": _voice,
    "video": _media("video.mp4", "video/mp4"),
    "shortvideo": _media("video.mp4", "video/mp4"),
    "location": _location,
    "link": _link,
    "file": _file,
}

SAYS = "say:"
"""How the key of a button begins that stands for words."""

SCENES = {"subscribe_scan": "subscribe", "subscribe_scan_product": "subscribe"}
"""The library's own names for following through a code → the platform's."""

ANSWERED_EVENTS = frozenset({"subscribe", "scan", "click"})
"""Events after which a follower waits for a word; they open the one-minute window too."""


def parse(body: bytes, account: str, now: datetime) -> InboundMessage:
    """The message, with the account's own id at the platform in `facts["to"]`. Raises Unreadable."""
    try:
        return _read(body, account, now)
    except Unreadable:
        raise
    except Exception as error:  # the parser lets any error out on hostile XML
        raise Unreadable(f"not a message of the platform: {type(error).__name__}") from error


def expects_answer(message: InboundMessage) -> bool:
    return message.event is None or message.event in ANSWERED_EVENTS


def _read(body: bytes, account: str, now: datetime) -> InboundMessage:
    message = parse_message(body.decode())
    sender = message.source if message else None
    if not (isinstance(sender, str) and _OPENID.fullmatch(sender)):
        raise Unreadable("no sender")
    data = message._data
    type_ = str(data["MsgType"]).lower()
    text, attachments, facts, event = _understand(message, type_)
    return InboundMessage(
        channel="wechat",
        account=account,
        external_id=_external_id(message, sender, type_, body),
        sender=sender,
        text=text,
        received_at=now,
        attachments=attachments,
        raw=body,
        event=event,
        facts={"type": type_, "to": str(data.get("ToUserName") or ""), **facts},
    )


def _understand(
    message: BaseMessage, type_: str
) -> tuple[str, tuple[Attachment, ...], dict[str, Any], str | None]:
    if type_ == "event":
        event, facts = _event(message)
        return _said_by_menu(event, facts), (), facts, event
    reader = MESSAGES.get(type_)
    if reader is None:
        return "", (), _unknown(message), type_
    text, attachments, facts = reader(message)
    return text, attachments, facts, None


def _event(message: BaseMessage) -> tuple[str, dict[str, Any]]:
    name = str(message._data["Event"]).lower()
    event = SCENES.get(name, name)
    key = message._data.get("EventKey")
    facts: dict[str, Any] = {}
    if isinstance(key, str) and key:
        facts["scene" if event in ("subscribe", "scan") else "key"] = key
    if event == "templatesendjobfinish":
        facts |= {"msg_id": str(message._data.get("MsgID", "")), "status": str(message._data.get("Status", ""))}
    if event not in ANSWERED_EVENTS | {"view", "unsubscribe", "templatesendjobfinish"}:
        facts |= _unknown(message)
    return event, facts


def _said_by_menu(event: str, facts: dict[str, Any]) -> str:
    """A button of ours stands for words: who taps it has said them."""
    key = str(facts.get("key", ""))
    return key.removeprefix(SAYS) if event == "click" and key.startswith(SAYS) else ""


def _unknown(message: BaseMessage) -> dict[str, Any]:
    """Names only: the values, which may be personal, stay in the encrypted raw message."""
    return {"fields": sorted(str(name) for name in message._data)}


def _external_id(message: BaseMessage, sender: str, type_: str, body: bytes) -> str:
    """One MsgId can come from two senders; an event has none at all."""
    data = message._data
    if type_ != "event" and data.get("MsgId"):
        return f"{sender}:{str(data['MsgId']).strip()[:80]}"
    if type_ != "event":
        return f"{sender}:{data.get('CreateTime')}:{hashlib.sha256(body).hexdigest()[:32]}"
    key = str(data.get("EventKey") or data.get("MsgID") or "")
    if len(key) > 64:
        key = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"{sender}:{data.get('CreateTime')}:{str(data['Event']).lower()}:{key}"
