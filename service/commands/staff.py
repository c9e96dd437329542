"""huiyin staff: who may sign in."""

import sys
from typing import Annotated, Any

import typer

from core import clock
from service import sign_in
from service.commands.common import new_group, opened, read_settings, run
from service.office import make_office
from ticketing import handover, staff, staff_numbers
from ticketing.staff import Actor

app = new_group("Who may sign in.")
CLI = Actor("cli", frozenset({"administrator"}), None)


@app.command("add")
def add_staff(
    name: str,
    role: Annotated[list[str], typer.Option(help="May be given several times.")],
    department: Annotated[str | None, typer.Option()] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin")] = False,
    number: Annotated[str | None, typer.Option(help="工号, which residents read; left out: the next free one.")] = None,
) -> None:
    """A new member of staff."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    run(_add_staff(name, role, department, password, number))
    print(f"staff {name}: {', '.join(role)}")


async def _add_staff(
    name: str, roles: list[str], department: str | None, password: str | None, number: str | None
) -> None:
    async with opened() as db, db.writing() as session:
        await staff.add(session, name, roles, department, password, clock.now())
        if number is not None:
            await staff_numbers.give(session, name, number)


@app.command("number")
def show_number(name: str, number: Annotated[str | None, typer.Argument()] = None) -> None:
    """What residents read of somebody instead of his name (工号); with NUMBER: give him the office's own."""
    print(f"{name}: {run(_number(name, number))}")


async def _number(name: str, number: str | None) -> str | None:
    async with opened() as db, db.writing() as session:
        if number is not None:
            await staff_numbers.give(session, name, number)
        return await staff_numbers.number_of(session, Actor(name, frozenset(), None))


@app.command("leave")
def leave(
    name: str,
    to: Annotated[str | None, typer.Option(help="Who takes over; left out: who is on duty, else the queues.")] = None,
    reason: Annotated[str, typer.Option()] = "离岗",
) -> None:
    """Somebody leaves: he signs in no more, and what he has in hand goes to others."""
    print(run(_leave(name, to, reason)))


async def _leave(name: str, to: str | None, reason: str) -> str:
    office = make_office(read_settings(), _tell_nobody)
    async with opened() as db, db.writing() as session:
        done = await handover.hand_over(session, office, CLI, name, to, reason, clock.now(), leaves=True)
    return f"{name}: {done.tickets} tickets ({done.queued} into queues), {done.measures} measures, " \
           f"{done.conversations} conversations handed over"


async def _tell_nobody(*_told: Any) -> None:
    """A handover tells no resident."""


@app.command("reset")
def reset_staff(name: str) -> None:
    """Print a new one-time sign-in link."""
    print(run(_make_link(name)))


async def _make_link(name: str) -> str:
    async with opened() as db, db.writing() as session:
        await staff.find(session, name)
        token = await sign_in.make_link(session, name, clock.now())
    return f"{read_settings().public_url}/staff/enter?token={token}"
