"""Structured logs: JSON lines on standard error, personal data and secrets masked on the way out."""

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog

from core import privacy

_secrets: set[str] = set()


def hide_secrets(secrets: Iterable[str]) -> None:
    """From now on these texts never reach the log, wherever they stand in it."""
    _secrets.update(secret for secret in secrets if len(secret) >= 6)


def mask_text(text: str) -> str:
    """The text without secrets and personal data."""
    for secret in _secrets:
        if secret in text:
            text = text.replace(secret, "[secret]")
    return privacy.mask(text)


def _mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: _mask_value(value) for key, value in event.items()}


def _mask_value(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {key: _mask_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask_value(item) for item in value]
    return value


def set_up(level: str = "info") -> None:
    """Send our own lines and those of every library through one masked JSON formatter."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.stdlib.ExtraAdder(),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _mask_event,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=repr),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("aiohttp.access", "alembic", "aiosqlite", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared[:-1], structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def logger(name: str) -> Any:
    """The logger of a module."""
    return structlog.stdlib.get_logger(name)
