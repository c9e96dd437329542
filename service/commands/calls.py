"""huiyin calls: transcripts of telephone calls that lie in files."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from channels.phone import Phone
from channels.recordings import KEPT, load, read_file
from channels.transcripts import FORMATS, Unreadable
from core.errors import HuiyinError, Misconfigured
from core.inbox_writer import InboxWriter
from service import schema
from service.commands.common import AsJson, new_group, opened, print_list, read_settings, run

app = new_group("Transcripts of telephone calls.")


@app.command("import")
def import_calls(
    files: list[Path],
    format_: Annotated[str | None, typer.Option("--format", help=f"One of {' '.join(FORMATS)}.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take in calls. What cannot be read is kept for a person, named here, and ends with another code than 0."""
    if format_ is not None and format_ not in FORMATS:
        raise Misconfigured(f"--format {format_}: one of {', '.join(FORMATS)}")
    rows = run(_import(files, format_))
    print_list(rows, as_json)
    unread = [row["file"] for row in rows if row["status"] == "unreadable"]
    if unread:
        raise HuiyinError(f"not readable: {', '.join(unread)}")


async def _import(files: list[Path], format_: str | None) -> list[dict[str, Any]]:
    await schema.migrate(read_settings())
    async with opened() as db:
        writer = InboxWriter(db)
        writing = asyncio.create_task(writer.run())
        phone = Phone(SecretStr(""), writer, db)
        try:
            return [await _take(phone, path, format_) for path in files]
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing


async def _take(phone: Phone, path: Path, format_: str | None) -> dict[str, Any]:
    raw, changed_at = await asyncio.to_thread(load, path)
    try:
        call = read_file(path.name, raw, changed_at, format_)
    except Unreadable as error:
        await phone.put_aside(raw[:KEPT], str(error))
        return {"file": path.name, "call_id": None, "status": "unreadable", "detail": str(error)}
    return {"file": path.name, "call_id": call.call_id, "status": await phone.take(call), "detail": None}
