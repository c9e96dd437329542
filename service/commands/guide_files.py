"""huiyin guides import and export: the office's documents to guides and back."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from core import clock
from core.db import Database
from service import schema
from service.commands.common import opened, print_list, read_settings

if TYPE_CHECKING:
    from knowledge_base.documents import Refused
    from knowledge_base.documents.read import Told
    from knowledge_base.importer import Imported
    from knowledge_base.life import Taken

CHANGES = {"added": "新增", "updated": "更新", "unchanged": "没有变化", "refused": "未导入"}
BY = "cli"


async def import_guides(paths: list[Path], preset: str | None, dry_run: bool, publish: bool | None, as_json: bool) -> None:
    """Read everything first, then store all of it in one transaction; exit code 1 when something was refused."""
    from knowledge_base.documents import Refused

    settings = read_settings()
    results = _read(paths, preset or settings.office.preset)
    now = clock.now()
    publish_it = settings.guides.imported == "published" if publish is None else publish
    async with _migrated() as db:
        if dry_run:
            await _show_dry_run(db, results, clock.local(now).date(), as_json)
        else:
            taken = await _store(db, results, publish_it, now)
            _show(results, taken, clock.local(now).date(), as_json)
    if any(isinstance(each, Refused) for each in results):
        raise SystemExit(1)


@asynccontextmanager
async def _migrated() -> AsyncIterator[Database]:
    """The database, made if there is none yet: an office may import before its first start."""
    await schema.migrate(read_settings())
    async with opened() as db:
        yield db


def _read(paths: list[Path], preset: str) -> "list[Imported | Refused]":
    from knowledge_base.documents import Refused, read_documents

    results: list[Imported | Refused] = []
    with _progress() as tell:
        for path in paths:
            results += read_documents(path, preset, tell)
    firsts: dict[tuple[str, str], str] = {}
    for at, each in enumerate(results):
        if not isinstance(each, Refused):
            first = firsts.setdefault((each.guide.preset, each.guide.slug), each.source)
            if first != each.source:
                reason = f"{each.source}：与 {first} 的编号都是 {each.guide.slug}，请改一个再导入"
                results[at] = Refused(each.source, reason)
    return results


@contextmanager
def _progress() -> "Iterator[Told]":
    """A bar on a terminal, plain lines elsewhere; both on standard error, so that the report can be kept."""
    if not sys.stderr.isatty():
        yield lambda number, total, name: print(f"{number}/{total} {name}", file=sys.stderr, flush=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("读取")
        yield lambda number, total, name: progress.update(task, total=total, completed=number, description=name[:40])


async def _store(db: Database, results: "list[Imported | Refused]", publish_it: bool, now: datetime) -> "list[Taken | None]":
    from knowledge_base import life
    from knowledge_base.documents import Refused

    imported = [each for each in results if not isinstance(each, Refused)]
    async with db.writing() as session:
        taken = iter(await life.take_in(session, imported, BY, now, publish_it=publish_it))
    return [None if isinstance(each, Refused) else next(taken) for each in results]


async def _show_dry_run(db: Database, results: "list[Imported | Refused]", today: date, as_json: bool) -> None:
    from knowledge_base import life
    from knowledge_base.documents import Refused, preview
    from knowledge_base.tables import GuideRow

    async with db.reading() as session:
        rows = (await session.scalars(select(GuideRow))).all()
        known = {(row.preset, row.slug): (await life.newest(session, row)).digest for row in rows}
    if not as_json:
        print("\n".join([*preview(results, known, today), "试运行：什么都没有改动"]))
        return
    told = []
    for each in results:
        if isinstance(each, Refused):
            told.append(_refusal(each))
            continue
        before = known.get((each.guide.preset, each.guide.slug))
        change = "added" if before is None else "unchanged" if before == each.digest else "updated"
        told.append(_describe(each, change, "", today) | {"guide": each.guide.as_json()})
    print_list(told, True)


def _show(results: "list[Imported | Refused]", taken: "list[Taken | None]", today: date, as_json: bool) -> None:
    from knowledge_base.documents import Refused

    told = [
        _refusal(each) if isinstance(each, Refused) or done is None else _describe(each, done.change, done.state, today)
        for each, done in zip(results, taken, strict=True)
    ]
    if as_json:
        print_list(told, True)
        return
    for row in told:
        _print(row)
    counts = "，".join(f"{words} {sum(row['change'] == code for row in told)}" for code, words in CHANGES.items())
    print(f"共 {len(told)} 份：{counts}")


def _print(row: dict[str, Any]) -> None:
    from knowledge_base.life import WORDS

    if row["change"] == "refused":
        print(f"{CHANGES['refused']}  {row['reason']}")
        return
    print(f"{CHANGES[row['change']]}  {row['source']} → {row['preset']}/{row['slug']}《{row['title']}》"
          f"（{WORDS[row['status']]}）")
    for line in row["remarks"] if row["change"] != "unchanged" else ():
        print(f"    {line}")


def _refusal(refused: Any) -> dict[str, Any]:
    return {"source": refused.source, "change": "refused", "reason": refused.reason}


def _describe(imported: "Imported", change: str, status: str, today: date) -> dict[str, Any]:
    from knowledge_base.documents import remarks

    guide = imported.guide
    return {"source": imported.source, "change": change, "preset": guide.preset, "slug": guide.slug,
            "title": guide.title, "status": status, "left_out": list(imported.left_out),
            "remarks": remarks(imported, today)}


async def export_guides(folder: Path, preset: str | None, status: str | None) -> None:
    """Each guide as a Markdown file under its preset's folder; what was exported imports without a change."""
    from knowledge_base import life
    from knowledge_base.importer import export_markdown
    from knowledge_base.tables import GuideRow

    query = select(GuideRow).order_by(GuideRow.preset, GuideRow.slug)
    query = query.where(GuideRow.preset == preset) if preset else query
    query = query.where(GuideRow.state == status) if status else query
    count = 0
    async with opened() as db, db.reading() as session:
        for row in (await session.scalars(query)).all():
            path = folder / row.preset / f"{row.slug.replace('/', '_')}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(export_markdown(await life.newest(session, row)), "utf-8")
            count += 1
    print(f"已导出 {count} 篇到 {folder}")


async def list_guides(preset: str | None, status: str | None, as_json: bool) -> None:
    """One line a guide."""
    from knowledge_base import life
    from knowledge_base.tables import GuideRow

    query = select(GuideRow).order_by(GuideRow.preset, GuideRow.slug)
    query = query.where(GuideRow.preset == preset) if preset else query
    query = query.where(GuideRow.state == status) if status else query
    async with opened() as db, db.reading() as session:
        rows = (await session.scalars(query)).all()
    print_list(
        [
            {"preset": row.preset, "slug": row.slug, "title": row.title, "status": row.state, "version": row.version,
             "draft": life.latest(row) if row.pending else None, "owner": row.owner,
             "valid_to": str(row.valid_to) if row.valid_to else None,
             "checked_on": str(row.checked_on) if row.checked_on else None}
            for row in rows
        ],
        as_json,
    )
