"""A telephone call heard: its turns → who calls, from which number, about what, where and since when; pure functions."""

from service.hearing.draft import ELEMENTS, Draft, Element, draft_matters
from service.hearing.voices import Heard, hear

__all__ = ["ELEMENTS", "Draft", "Element", "Heard", "draft_matters", "hear"]
