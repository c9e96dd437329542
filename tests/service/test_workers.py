"""The loops behind the service: an error of ours in one of them must not end it in silence."""

from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from core import db as database
from core import loops, queues
from service.knowledge import Knowledge
from tests.service.house import House


@pytest.mark.parametrize("failing", ["claim", "anything_due"])
async def test_a_queue_is_worked_off_after_an_error_that_nobody_expected(
    house: House, monkeypatch: pytest.MonkeyPatch, failing: str
):
    monkeypatch.setattr(loops, "PAUSE_S", 0.01)
    real, failures = getattr(queues, failing), []

    async def fail_twice(*args: Any, **kw: Any) -> Any:
        if len(failures) < 2:
            failures.append(1)
            raise ValueError("a claim that cannot be")
        return await real(*args, **kw)

    monkeypatch.setattr(queues, failing, fail_twice)
    await house.write_from("guest-1", "你好")
    assert len(failures) == 2


async def test_a_writer_that_waits_too_long_for_its_turn_gets_a_database_error(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    async with house.db.writing():
        with monkeypatch.context() as patched, pytest.raises(SQLAlchemyError):
            patched.setattr(database, "BUSY_S", 0.05)
            async with house.db.writing():
                pass
    await house.write_from("guest-1", "你好")


async def test_the_guides_are_looked_at_again_after_an_error(house: House, monkeypatch: pytest.MonkeyPatch):
    looks: list[int] = []

    async def refresh(*_: Any) -> None:
        looks.append(1)
        raise ValueError("a guide that cannot be")

    monkeypatch.setattr(Knowledge, "refresh", refresh)
    for number in range(2):
        house.runtime.news.notify("guides")

        async def looked(number: int = number) -> bool:
            return len(looks) > number

        assert await house.until(looked)
