"""huiyin staff: who may sign in."""

import sys
from typing import Annotated

import typer

from core import clock
from service import sign_in
from service.commands.common import new_group, opened, read_settings, run
from ticketing import staff

app = new_group("Who may sign in.")


@app.command("add")
def add_staff(
    name: str,
    role: Annotated[list[str], typer.Option(help="May be given several times.")],
    department: Annotated[str | None, typer.Option()] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin")] = False,
) -> None:
    """A new member of staff."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    run(_add_staff(name, role, department, password))
    print(f"staff {name}: {', '.join(role)}")


async def _add_staff(name: str, roles: list[str], department: str | None, password: str | None) -> None:
    async with opened() as db, db.writing() as session:
        await staff.add(session, name, roles, department, password, clock.now())


@app.command("reset")
def reset_staff(name: str) -> None:
    """Print a new one-time sign-in link."""
    print(run(_make_link(name)))


async def _make_link(name: str) -> str:
    async with opened() as db, db.writing() as session:
        await staff.find(session, name)
        token = await sign_in.make_link(session, name, clock.now())
    return f"{read_settings().public_url}/staff/enter?token={token}"
