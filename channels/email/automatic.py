"""Which machine wrote a mail: returned mail, automatic replies, lists, our own, and what a server calls spam."""

import email.message
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import getaddresses

from channels.email.body import charset_of, children, content_of
from channels.email.decode import decode_bytes, decode_header

OWN_HEADER = "X-Huiyin-Office"
OUR_ID = "<huiyin."
"""With these letters our Message-IDs begin."""
TICKET = re.compile(r"HY\d{8}-\d{5,}")
ADDRESS = re.compile(r"[^@\s<>\"(),;:：，；、（）《》＜＞]+@[^@\s<>\"(),;:：，；、（）《》＜＞。]+")
MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")

_AUTO_SUBJECT = re.compile(
    r"(?i)^\s*[\[【(（]?\s*(自动回复|自动答复|自动应答|外出自动回复|不在办公室|休假自动回复|auto(matic)?[ -]?(reply|response)"
    r"|out of (the )?office|vacation( reply)?)\s*([:：\]】)）]|$)"
)
_RECEIPT_SUBJECT = re.compile(r"(?i)^\s*(已读|未读|已读回执|阅读回执|read|not read|read receipt)\s*[:：]")
_BOUNCE_SUBJECT = re.compile(
    r"(?i)(系统退信|退信|退回通知|邮件被退回|投递失败|发送失败|未送达|未能送达|无法送达|无法投递|无法传递|投递延迟|投递状态"
    r"|undeliver(ed|able)|delivery (status notification|failure|incomplete|has failed|delayed)"
    r"|returned (mail|to sender)|failure notice|mail (delivery|system) (failed|failure|error)|delayed mail|mail delay)"
)
_DELAY = re.compile(r"(?i)(延迟|暂时(无法|未能)|稍后(将|会)?(再|继续)|继续尝试|正在重试|delay|will (be )?retr(y|ied)|still trying)")
_DAEMONS = re.compile(
    r"(?i)^(mailer-?daemon|postmaster|mail[-.]?daemon|mailerdaemon|mail-?delivery(-?subsystem)?|microsoftexchange\w*|bounces?)@"
)
_NO_REPLY = re.compile(r"(?i)^(no[-_.]?reply|do[-_.]?not[-_.]?reply|noreply)\b[^@]*@")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([45])[0-5]\d(?![\d.])")


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a returned mail says: which of our mails, to whom, what code, in whose words."""

    message_id: str | None
    status: str | None
    permanent: bool
    recipients: tuple[str, ...] = ()
    number: str | None = None
    """The ticket that it names."""


def is_no_reply(address: str) -> bool:
    """Whether nobody reads what is sent there."""
    return bool(_NO_REPLY.match(address))


def kind_of(message: email.message.Message, sender: str, subject: str, own_address: str) -> str | None:
    """auto_reply·list·own·spam, or None: a person wrote it. The first rule that holds."""
    precedence = _word(message, "Precedence")
    submitted = _word(message, "Auto-Submitted") or "no"
    rules = (
        ("own", sender == own_address.lower() or OWN_HEADER in message),
        ("auto_reply", submitted != "no"),
        ("auto_reply", precedence in ("auto_reply", "auto-reply")),
        ("auto_reply", any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))),
        ("auto_reply", message.get_content_type() == "multipart/report"),
        ("auto_reply", bool(_AUTO_SUBJECT.match(subject) or _RECEIPT_SUBJECT.match(subject))),
        ("auto_reply", bool(_DAEMONS.match(sender)) or is_no_reply(sender)),
        ("auto_reply", has_null_sender(message)),
        ("list", any(name in message for name in ("List-Id", "List-Post", "List-Unsubscribe"))),
        ("list", precedence in ("bulk", "list", "junk")),
        ("spam", _is_spam(message)),
    )
    return next((kind for kind, holds in rules if holds), None)


def _is_spam(message: email.message.Message) -> bool:
    """The receiving server's verdict, in the headers of the usual filters."""
    level = str(message.get("X-MS-Exchange-Organization-SCL", "")).strip()
    return (
        _word(message, "X-Spam-Flag") == "yes"
        or re.split(r"[\s,]", _word(message, "X-Spam-Status"))[0] == "yes"
        or _word(message, "X-Spam") == "yes"
        or _word(message, "X-Rspamd-Action") in ("add header", "rewrite subject", "reject")
        or (level.isdecimal() and int(level) >= 5)
    )


def has_null_sender(message: email.message.Message) -> bool:
    """`<>`: whoever sent it wants no answer."""
    return "Return-Path" in message and re.sub(r"\s", "", str(message["Return-Path"])) in ("<>", "")


def read_bounce(message: email.message.Message, sender: str, subject: str, text: str) -> Bounce | None:
    """RFC 3464, or the providers' own words (系统退信) where a daemon says them."""
    if not _is_bounce(message, sender, subject):
        return None
    parts = list(message.walk())
    fields = list(_status_fields(parts))
    words = "\n".join([subject, text, *(_plain(part) for part in parts)])
    actions = [value.lower() for name, value in fields if name == "action"]
    codes = [found.group(1) for name, value in fields if name == "status" and (found := _STATUS.search(value))]
    stated = _STATUS.search(text)
    status = next(iter(codes), stated.group(1) if stated else None)
    return Bounce(
        message_id=_returned_id(parts, words),
        status=status,
        permanent=_is_permanent(actions, status, subject, text),
        recipients=tuple(_failed_recipients(message, fields, words, sender)),
        number=found.group() if (found := TICKET.search(words.upper())) else None,
    )


def _is_bounce(message: email.message.Message, sender: str, subject: str) -> bool:
    if message.get_content_type() == "multipart/report":
        kind = str(message.get("Content-Type", "")).lower()
        return "delivery-status" in kind or any(
            part.get_content_type().endswith("delivery-status") for part in message.walk()
        )
    from_machine = bool(_DAEMONS.match(sender)) or has_null_sender(message)
    return "X-Failed-Recipients" in message or (from_machine and bool(_BOUNCE_SUBJECT.search(subject)))


def _is_permanent(actions: list[str], status: str | None, subject: str, text: str) -> bool:
    """What the report says decides, then its code, then its words; returned mail without a word of delay is final."""
    if actions:
        return any(action.startswith("failed") for action in actions)
    if status:
        return status.startswith("5")
    if _DELAY.search(subject) or _DELAY.search(text[:2000]):
        return False
    code = _CODE.search(text)
    return code is None or code.group(1) == "5"


def _status_fields(parts: list[email.message.Message]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if part.get_content_type().endswith("delivery-status"):
            for block in children(part):
                yield from ((name.lower(), str(value).strip()) for name, value in block.items())


def _returned_id(parts: list[email.message.Message], words: str) -> str | None:
    found = [one for part in parts[1:] for one in MESSAGE_ID.findall(str(part.get("Message-ID", "")))]
    found += re.findall(r"(?im)^\s*message-id:\s*(<[^<>\s]+>)", words)
    found += [one for one in MESSAGE_ID.findall(words) if one.startswith(OUR_ID)]
    return next((one for one in found if one.startswith(OUR_ID)), found[0] if found else None)


def _failed_recipients(
    message: email.message.Message, fields: list[tuple[str, str]], words: str, sender: str
) -> Iterator[str]:
    """Whom it did not reach, the surest source first; nobody twice."""
    named = [value.partition(";")[2] for name, value in fields if name in ("final-recipient", "original-recipient")]
    named += [address for _, address in getaddresses([decode_header(message.get("X-Failed-Recipients"))])]
    seen = {sender}
    for text in (*named, *([] if named else [words[:20_000]])):
        for match in ADDRESS.finditer(text):
            address = match.group().strip(" .'").lower()
            if address not in seen and len(seen) < 20:
                seen.add(address)
                yield address


def _plain(part: email.message.Message) -> str:
    if part.is_multipart():
        return ""
    return decode_bytes(content_of(part), charset_of(part)) if part.get_content_maintype() in ("text", "message") else ""


def _word(message: email.message.Message, name: str) -> str:
    return str(message.get(name, "")).partition(";")[0].strip().lower()
