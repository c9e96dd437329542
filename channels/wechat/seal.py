"""Signatures and encryption of the callback: what is ours, what is forged, and how answers are sealed.

Rules: https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Message_encryption_and_decryption_instructions.html
"""

import hmac
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import xmltodict
from pydantic import SecretStr
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException
from wechatpy.replies import TextReply
from wechatpy.utils import WeChatSigner

from channels.wechat.settings import WeChatAccount

MAX_SKEW_S = 600
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Forged(Exception):
    """Not from the platform, or not for us. Answer 403 and store nothing. `reason` is a word for the counter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CannotOpen(Exception):
    """Rightly signed, but the encryption does not open: a wrong key in our settings. Keep it, raw."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A message whose origin is proven. `crypto` seals the answer; None where it came in plain."""

    body: bytes
    crypto: WeChatCrypto | None

    @property
    def is_covered(self) -> bool:
        """A plain message's signature covers timestamp and nonce only, not the body."""
        return self.crypto is not None


class Seal:
    """The tokens and keys of one account; during a rotation the old ones count too."""

    def __init__(self, account: WeChatAccount) -> None:
        self._mode = account.mode
        self._app_id = account.app_id
        self._tokens = _set(account.token, account.old_token)
        self._keys = _set(account.aes_key, account.old_aes_key) if account.mode != "plain" else []

    def check(self, query: Mapping[str, str], now: datetime) -> None:
        """The signature over timestamp and nonce, as the URL check and plain messages carry it."""
        if not self._signer(query, query.get("signature", "")):
            raise Forged("signature")
        _check_fresh(query.get("timestamp", ""), now)

    def open(self, query: Mapping[str, str], body: bytes, now: datetime) -> Opened:
        """The message inside. Raises Forged, or CannotOpen."""
        encrypted = _encrypted_part(body) if self._mode != "plain" else None
        if encrypted is None:
            self.check(query, now)
            if self._mode == "safe":
                raise Forged("not_encrypted")
            return Opened(body, None)
        token = self._signer(query, query.get("msg_signature", ""), encrypted)
        if not token or (query.get("signature") and not self._signer(query, query["signature"])):
            raise Forged("signature")
        _check_fresh(query.get("timestamp", ""), now)
        return self._decrypt(token, encrypted)

    def _signer(self, query: Mapping[str, str], signature: str, *more: str) -> str | None:
        """The token that made this signature. Every token is tried, each compared in constant time."""
        given = signature.encode("utf-8", "replace")
        found = None
        for token in self._tokens:
            right = sign(token, query.get("timestamp", ""), query.get("nonce", ""), *more)
            if hmac.compare_digest(right.encode(), given):
                found = token
        return found

    def _decrypt(self, token: str, encrypted: str) -> Opened:
        foreign = False
        for key in self._keys:
            crypto = WeChatCrypto(token, key, self._app_id)
            try:
                xml = crypto.decrypt_message(
                    {"Encrypt": encrypted}, sign(token, "", "", encrypted), "", ""
                )
            except InvalidAppIdException:
                foreign = True
            except Exception:  # wechatpy lets every kind of error out when a key does not fit
                continue
            else:
                return Opened(xml.encode(), crypto)
        if foreign:
            raise Forged("app_id")
        raise CannotOpen("the encrypted part does not open: compare aes_key with the platform's page")


def sign(token: str, *parts: str) -> str:
    """SHA-1 over the sorted parts, in hexadecimal."""
    signer = WeChatSigner()
    signer.add_data(*(part.encode("utf-8", "surrogatepass") for part in (token, *parts)))
    return str(signer.signature)


def render_reply(text: str, sender: str, ours: str, now: datetime, opened: Opened, nonce: str) -> str:
    """A passive text reply to `sender`, sealed as his message was."""
    content, to, source = (_inside_cdata(value) for value in (text, sender, ours))
    xml = str(TextReply(source=source, target=to, content=content, time=int(now.timestamp())).render())
    if opened.crypto is None:
        return xml
    return str(opened.crypto.encrypt_message(xml, nonce, str(int(now.timestamp()))))


def _inside_cdata(text: str) -> str:
    """The library does not guard its CDATA sections: `]]>` would end one, control characters break XML."""
    return _NOT_XML.sub("", text).replace("]]>", "]]]]><![CDATA[>")


def _check_fresh(timestamp: str, now: datetime) -> None:
    """Within ten minutes, so that a recorded request is soon worthless.

    In a rehearsal our clock is moved, the platform's is not: the machine's own time counts as well.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Forged("timestamp")
    if min(abs(moment - int(timestamp)) for moment in (now.timestamp(), time.time())) > MAX_SKEW_S:
        raise Forged("timestamp")


def _encrypted_part(body: bytes) -> str | None:
    try:
        encrypted = xmltodict.parse(body.decode())["xml"]["Encrypt"]
    except Exception:  # whatever a hostile body does to the parser: there is no encrypted part
        return None
    return encrypted if isinstance(encrypted, str) else None


def _set(*secrets: SecretStr) -> list[str]:
    values: Iterable[str] = (secret.get_secret_value() for secret in secrets)
    return [value for value in values if value]
