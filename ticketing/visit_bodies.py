"""What is said about a visit: a window, a price and its answer, what was done, the resident's word."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from core.checking import Body, Moment
from ticketing.bodies import Short, Text

LONGEST = timedelta(hours=12)


class Window(Body):
    starts_at: Moment
    ends_at: Moment
    worker: Short | None = None
    """Left out: who has the ticket, or who had the visit."""

    @model_validator(mode="after")
    def _is_a_window(self) -> Self:
        if not timedelta() < self.ends_at - self.starts_at <= LONGEST:
            raise ValueError("ends_at: a window ends after it begins, within twelve hours")
        return self


class Move(Window):
    reason: Short | None = None


class Price(Body):
    amount: Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,2})?$")]
    """In yuan: 120 or 120.50."""
    what_for: Short

    @property
    def fen(self) -> int:
        yuan, _, rest = self.amount.partition(".")
        return int(yuan) * 100 + int((rest + "00")[:2])


class PriceAnswer(Body):
    agreed: bool
    how: Short
    """How he said it: 当面同意, 电话中同意."""


class Finish(Body):
    done: Text
    attachments: Annotated[list[int], Field(max_length=20)] = []
    """Photographs of the finished work, uploaded before (POST /attachments)."""
    without_photograph: Short | None = None
    """Why there is none: the resident would not have it."""
    reply: Text | None = None
    """The short path: submitted with the visit as what was done; where the category needs no approval it goes out."""


class Solved(Body):
    solved: bool
    comment: Annotated[str, Field(max_length=5000)] | None = None


class Why(Body):
    reason: Short
