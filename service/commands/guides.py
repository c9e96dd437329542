"""huiyin guides: the knowledge base."""

from pathlib import Path
from typing import Annotated

import typer

from core import clock
from service.commands.common import new_group

app = new_group("The knowledge base.")


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
