"""Calls of the platform's API: its 200 with an `errcode` is a failure, and each code says of which kind."""

import json
from typing import Any

import aiohttp

from channels.base import PermanentFailure, SendError, TemporaryFailure, WindowClosed
from channels.wechat.settings import WeChatAccount
from channels.wechat.token import Token, Tokens
from core.db import Database

TIMEOUT = aiohttp.ClientTimeout(total=10)
JSON = {"Content-Type": "application/json; charset=utf-8"}
MEDIA_TIMEOUT = aiohttp.ClientTimeout(total=60)

REFUSED_TOKEN = {40001: True, 40014: True, 42001: False}
"""Codes that mean: another token. True: ours was invalidated, so the next one must be forced."""

ERRORS: dict[int, tuple[type[SendError], str]] = {
    -1: (TemporaryFailure, "WeChat is busy"),
    45009: (TemporaryFailure, "the day's quota of this interface is used up"),
    45011: (TemporaryFailure, "WeChat asks for fewer calls"),
    50005: (PermanentFailure, "the resident does not follow this account"),
    45015: (WindowClosed, "the resident last wrote more than 48 hours ago"),
    45047: (WindowClosed, "WeChat's number of messages until the resident writes again is used up"),
    43004: (PermanentFailure, "the resident no longer follows this account"),
    43101: (PermanentFailure, "the resident refuses such notices"),
    48001: (PermanentFailure, "this account may not use the interface: look at its kind in config.yml"),
    48002: (PermanentFailure, "the resident has switched off messages of this account"),
    48003: (PermanentFailure, "this account may not use the interface: accept its terms on the platform's page"),
    48004: (PermanentFailure, "the interface was withdrawn from this account: look at the platform's page"),
    50001: (PermanentFailure, "this account may not use the interface"),
    50002: (PermanentFailure, "the account is restricted by the platform"),
    40003: (PermanentFailure, "the platform does not know this openid for this account"),
    40037: (PermanentFailure, "the platform does not know notice_template: compare it with the platform's page"),
    45002: (PermanentFailure, "the text is too long for the platform"),
    47003: (PermanentFailure, "a value of the notice does not fit: compare notice_fields with the template"),
}
"""https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html; others are permanent."""


class Api:
    """The platform's API for one account, under `api_base` and nowhere else."""

    def __init__(self, name: str, account: WeChatAccount, db: Database, http: aiohttp.ClientSession) -> None:
        self._base = account.api_base
        self._http = http
        self._tokens = Tokens(name, account, db, self._post_without_token, self._get_without_token)

    async def post(self, path: str, body: dict[str, Any], proof: str = "errcode") -> dict[str, Any]:
        """One call with the token, renewed once if it is refused. Raises one of the three errors.

        `proof` is the field without which a 200 is no answer: not every interface says `errcode: 0`.
        """
        token = await self._tokens.current()
        answer = await self._post_with(token, path, body, proof)
        if answer.get("errcode") in REFUSED_TOKEN:
            token = await self._tokens.after_refusal(token, force=REFUSED_TOKEN[answer["errcode"]])
            answer = await self._post_with(token, path, body, proof)
        raise_for_code(answer)
        return answer

    async def upload(self, kind: str, name: str, mime: str, content: bytes) -> str:
        """Bring a file to the platform, which keeps it for three days; its handle there."""
        token = await self._tokens.current()
        answer = await self._upload_with(token, kind, name, mime, content)
        if answer.get("errcode") in REFUSED_TOKEN:
            token = await self._tokens.after_refusal(token, force=REFUSED_TOKEN[answer["errcode"]])
            answer = await self._upload_with(token, kind, name, mime, content)
        raise_for_code(answer)
        media_id = answer.get("media_id") or answer.get("thumb_media_id")
        if not isinstance(media_id, str):
            raise TemporaryFailure("WeChat took a file and named it not")
        return media_id

    async def _upload_with(self, token: Token, kind: str, name: str, mime: str, content: bytes) -> dict[str, Any]:
        form = aiohttp.FormData()
        form.add_field("media", content, filename=name, content_type=mime)
        query = {"access_token": token.value, "type": kind}
        _, answer = await self._request(
            "POST", "/cgi-bin/media/upload", params=query, data=form, timeout=MEDIA_TIMEOUT
        )
        return answer

    async def media(self, media_id: str, limit: int) -> bytes:
        """The bytes of what a resident sent. PermanentFailure when it is gone, too large, or no file."""
        token = await self._tokens.current()
        content = await self._media_with(token, media_id, limit)
        if isinstance(content, dict) and content.get("errcode") in REFUSED_TOKEN:
            token = await self._tokens.after_refusal(token, force=REFUSED_TOKEN[content["errcode"]])
            content = await self._media_with(token, media_id, limit)
        if isinstance(content, dict):
            raise_for_code(content)
            raise PermanentFailure("the platform answered with an address instead of the file")
        return content

    async def _post_with(self, token: Token, path: str, body: dict[str, Any], proof: str) -> dict[str, Any]:
        # The platform shows what JSON escapes as it is written: Chinese must go out as Chinese.
        content = json.dumps(body, ensure_ascii=False).encode()
        status, answer = await self._request(
            "POST", path, params={"access_token": token.value}, data=content, headers=JSON, timeout=TIMEOUT
        )
        if status >= 400 and "errcode" not in answer:
            raise PermanentFailure(f"WeChat answered HTTP {status}: check api_base")
        if proof not in answer and "errcode" not in answer:
            raise TemporaryFailure(f"WeChat answered without an {proof}")
        return answer

    async def _post_without_token(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        return await self._request("POST", path, json=body, timeout=TIMEOUT)

    async def _get_without_token(self, path: str, **query: Any) -> tuple[int, dict[str, Any]]:
        return await self._request("GET", path, params=query, timeout=TIMEOUT)

    async def _request(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON. Whatever is not a plain answer of the platform is temporary, and says no address:
        the address holds the token."""
        try:
            async with self._http.request(
                method, self._base + path, allow_redirects=False, **options
            ) as response:
                if response.status >= 500 or response.status in (408, 429):
                    raise TemporaryFailure(f"WeChat answered HTTP {response.status}")
                answer = await _json(response)
                return response.status, answer
        except TimeoutError:
            raise TemporaryFailure("WeChat did not answer in time") from None
        except aiohttp.ClientError as error:
            raise TemporaryFailure(f"WeChat cannot be reached ({type(error).__name__})") from None

    async def _media_with(self, token: Token, media_id: str, limit: int) -> bytes | dict[str, Any]:
        query = {"access_token": token.value, "media_id": media_id}
        try:
            async with self._http.get(
                f"{self._base}/cgi-bin/media/get", params=query, allow_redirects=False, timeout=MEDIA_TIMEOUT
            ) as response:
                if response.status != 200:
                    raise TemporaryFailure(f"WeChat answered HTTP {response.status}")
                if response.content_type in ("application/json", "text/plain"):
                    return await _json(response)
                return await _bounded(response, limit)
        except TimeoutError:
            raise TemporaryFailure("WeChat did not answer in time") from None
        except aiohttp.ClientError as error:
            raise TemporaryFailure(f"WeChat cannot be reached ({type(error).__name__})") from None


def raise_for_code(answer: dict[str, Any]) -> None:
    """Raise the error that belongs to the answer's `errcode`; 0 and none are success."""
    code = answer.get("errcode", 0)
    if code == 0:
        return
    if code in REFUSED_TOKEN:
        raise TemporaryFailure(f"WeChat refuses our token ({code})")
    kind, words = ERRORS.get(code, (PermanentFailure, str(answer.get("errmsg", "refused"))[:100]))
    raise kind(f"{words} ({code})")


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The platform labels its JSON as text/plain now and then."""
    try:
        answer = await response.json(content_type=None, encoding="utf-8")
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer
    if response.status in (404, 405):
        return {}
    raise TemporaryFailure(f"WeChat answered HTTP {response.status} without JSON")


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > limit:
            raise PermanentFailure("the file is larger than attachments may be")
    return bytes(content)
