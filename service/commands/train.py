"""huiyin train: the assistant, the vectors of what is shipped, and what the office's own tickets teach."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core import clock, log
from core.errors import Misconfigured
from service import bot, schema
from service.commands.common import AsJson, opened, print_list, read_settings, run
from service.settings import Settings
from service.words_of_weights import describe_figures
from ticketing import weights
from ticketing.preset import load_preset

if TYPE_CHECKING:
    from service.learning import Progress, Taught

BY = "cli"
app = typer.Typer(
    invoke_without_command=True,
    help="Train the assistant where its data changed, and let the categories learn from the office's own tickets.",
)


@app.callback()
def train(
    context: typer.Context,
    shipped: Annotated[bool, typer.Option("--shipped", help="Only what comes with Huiyin, as at set-up.")] = False,
) -> None:
    """Without a command: learn. What is better comes into force; running services take it without a pause."""
    if context.invoked_subcommand is not None:
        return
    settings = read_settings()
    log.set_up("warning")
    run(_train_shipped(settings))
    if not shipped:
        run(_teach(settings))


async def _train_shipped(settings: Settings) -> None:
    from service.categories import prepare_matters
    from service.knowledge import PREPARED, prepare_vectors

    print(f"assistant: {(await bot.train(settings.understanding.vectors)).name}")
    if settings.understanding.vectors:
        await prepare_vectors()
        await prepare_matters(PREPARED)


async def _teach(settings: Settings) -> None:
    from service.learning import Office, teach

    if schema.is_missing(settings):
        print("categories: 还没有数据库，等有了办结的工单再学")
        return
    await schema.migrate(settings)
    async with opened() as db:
        office = Office(db, db.keys, load_preset(settings.office.preset), settings.data_dir,
                        settings.understanding.vectors)
        with _progress() as progress:
            taught = await teach(office, BY, clock.now(), progress)
    print("categories: " + _describe(taught))


def _describe(taught: "Taught") -> str:
    said = "；".join(describe_figures(taught.outcome, taught.figures))
    return f"第 {taught.version} 版，{said}；{'正在使用' if taught.in_force else '没有启用'}"


@contextmanager
def _progress() -> "Iterator[Progress]":
    """A bar on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, of: print(f"工单 {done}/{of}", file=sys.stderr, flush=True) if done % 80 == 0 else None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("工单")
        yield lambda done, of: bar.update(task, total=of, completed=done)


@app.command("list")
def list_versions(as_json: AsJson = False) -> None:
    """The versions with their figures, newest first."""
    run(_list(read_settings(), as_json))


async def _list(settings: Settings, as_json: bool) -> None:
    from sqlalchemy import select

    from service.api.weights import describe

    preset = settings.office.preset
    async with _office(settings) as db, db.reading() as session:
        current, _ = await weights.in_force(session, preset)
        query = select(weights.Weights).where(weights.Weights.preset == preset).order_by(weights.Weights.id.desc())
        found = [describe(row, current) for row in (await session.scalars(query)).all()]
    if as_json:
        print_list(found, True)
        return
    for each in found:
        mark = "*" if each["in_force"] else " "
        print(f"{mark} 第 {each['version']} 版  {each['at']}  {each['by']}  "
              + "；".join(describe_figures(each["outcome"], each["figures"])))
    print(f"{' ' if current else '*'} 第 0 版  随软件提供")


@app.command("use")
def use(version: Annotated[int, typer.Argument(help="0 is what is shipped.", min=0)]) -> None:
    """Put a version in force; a damaged file of it is written anew from the database."""
    run(_use(read_settings(), version))


async def _use(settings: Settings, version: int) -> None:
    from service.weights_store import restore

    async with _office(settings) as db:
        await restore(db, settings.data_dir, version)
        async with db.writing() as session:
            await weights.put_in_force(session, settings.office.preset, version, BY, clock.now())
    print(f"第 {version} 版正在使用")


@app.command("roll-back")
def roll_back() -> None:
    """Put the version before in force again."""
    run(_roll_back(read_settings()))


async def _roll_back(settings: Settings) -> None:
    async with _office(settings) as db, db.writing() as session:
        version = await weights.roll_back(session, settings.office.preset, BY, clock.now())
    print(f"退回第 {version} 版" if version else "退回随软件提供的版本")


def _office(settings: Settings) -> Any:
    if schema.is_missing(settings):
        raise Misconfigured("还没有数据库：先运行 huiyin serve")
    return opened()
