"""huiyin guides: the knowledge base."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from core import clock
from service.commands import guide_files, guide_rehearsal
from service.commands.common import AsJson, new_group, run

app = new_group("The knowledge base.")

Preset = Annotated[
    Literal["property", "hall", "hospital"] | None,
    typer.Option("--preset", help="For documents that name none; else the office's."),
]
OnlyPreset = Annotated[Literal["property", "hall", "hospital"] | None, typer.Option("--preset")]
Status = Annotated[Literal["draft", "review", "published", "expired", "withdrawn"] | None, typer.Option("--status")]


@app.command("import")
def import_guides(
    paths: Annotated[list[Path], typer.Argument(help="Documents, folders or zips of them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what was understood, change nothing.")] = False,
    preset: Preset = None,
    publish: Annotated[
        bool | None, typer.Option("--publish/--draft", help="Instead of what guides.imported says.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Markdown, .docx, .doc, .pdf and .xlsx to guides; a document that cannot be read is refused by a sentence."""
    run(guide_files.import_guides(paths, preset, dry_run, publish, as_json))


@app.command("export")
def export_guides(folder: Path, preset: OnlyPreset = None, status: Status = None) -> None:
    """All guides as Markdown files, which import again without a change."""
    run(guide_files.export_guides(folder, preset, status))


@app.command("list")
def list_guides(preset: OnlyPreset = None, status: Status = None, as_json: AsJson = False) -> None:
    """The guides and how they stand."""
    run(guide_files.list_guides(preset, status, as_json))


@app.command("check")
def check_guides(paths: Annotated[list[Path] | None, typer.Argument()] = None) -> None:
    """Look for guides that must not be published as they are."""
    from knowledge_base.check import check_guides as check
    from knowledge_base.library import GUIDES

    today = clock.local(clock.now()).date()
    faults = [fault for path in paths or [GUIDES] for fault in check(path, today)]
    for fault in faults:
        print(fault)
    if faults:
        raise SystemExit(1)
    print("guides: ok")


@app.command("rehearse")
def rehearse_guides(
    paths: Annotated[list[Path] | None, typer.Argument(help="Documents instead of the published guides.")] = None,
    preset: OnlyPreset = None,
    as_json: AsJson = False,
) -> None:
    """Ask each published guide its own questions and look it through; exit code 1 when something fails."""
    run(guide_rehearsal.rehearse_guides(paths or [], preset, as_json))
