"""The demo office and its town: platforms on the loopback, residents to play, tickets in every state."""

from service.demo.town import Town, is_demo, open_town

__all__ = ["Town", "is_demo", "open_town"]
