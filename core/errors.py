"""The few kinds of error. Each says when it is raised; `detail` says what to do next."""

from collections.abc import Mapping, Sequence
from typing import Any


class HuiyinError(Exception):
    """The root: every error that the service raises on purpose."""

    status = 500
    title = "Internal error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Unauthenticated(HuiyinError):
    """No token, or one that is not known. Send a valid `Authorization: Bearer` header."""

    status = 401
    title = "Not signed in"


class NotFound(HuiyinError):
    """The thing does not exist, or the caller may not know that it does."""

    status = 404
    title = "Not found"


class Forbidden(HuiyinError):
    """The caller is known and may see the thing, but his roles do not allow this act."""

    status = 403
    title = "Not allowed"


class Invalid(HuiyinError):
    """A field is missing or wrong; `field` names it."""

    status = 422
    title = "Wrong or missing field"

    def __init__(self, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.field = field


class Stale(HuiyinError):
    """Somebody else changed the thing since the caller read it. Read again, then decide.

    `changed` says what was done to it meanwhile, as the API shows it.
    """

    status = 412
    title = "Changed meanwhile"

    def __init__(self, detail: str, changed: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(detail)
        self.changed = changed


class Conflict(HuiyinError):
    """The thing's state does not allow the act: wrong state, full slot, close without a delivered reply."""

    status = 409
    title = "Not possible in this state"


class TooMany(HuiyinError):
    """Too many tries in a while; `retry_after` says how many seconds to wait."""

    status = 429
    title = "Too many tries"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Misconfigured(HuiyinError):
    """A setting is unknown, missing or wrong. The start stops with the key, the line and what is allowed."""

    title = "Wrong setting"


class AssistantUnavailable(HuiyinError):
    """Rasa is away, too slow, or answered nothing: the resident gets a sentence and a clerk gets a ticket."""

    status = 503
    title = "The assistant is away"
