"""Who is calling the API: the actor behind a bearer token."""

import hmac
from dataclasses import dataclass

from aiohttp import web

from core.errors import Unauthenticated
from service.runtime import Runtime
from service.sign_in import digest
from ticketing.staff import Actor


@dataclass(frozen=True, slots=True)
class Caller:
    """An actor and the digest of the token he showed (for idempotency keys)."""

    actor: Actor
    token_digest: str
    is_assistant: bool = False


def identify(runtime: Runtime, request: web.Request) -> Caller:
    """The caller by `Authorization: Bearer`. Raises Unauthenticated."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("send the header Authorization: Bearer <token>")
    if runtime.assistant_token and hmac.compare_digest(token.encode(), runtime.assistant_token.encode()):
        return Caller(Actor("assistant", frozenset({"assistant"}), None), digest(token), is_assistant=True)
    for name, known in runtime.settings.api.tokens.items():
        if hmac.compare_digest(token.encode(), known.token.get_secret_value().encode()):
            return Caller(Actor(name, frozenset(known.role), known.department), digest(token))
    raise Unauthenticated("this token is not known: ask the administrator for one")
