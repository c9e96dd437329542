"""The command `huiyin`: serve and look after it. Errors are one line and an exit code other than 0."""

import sys

import typer

from core import log
from core.errors import HuiyinError
from service import schema
from service.commands import calendar, calls, guides, queue_rows, slots, staff, train, wechat
from service.commands.common import read_settings, run

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
GROUPS = {
    "inbox": queue_rows.inbox_app,
    "outbox": queue_rows.outbox_app,
    "staff": staff.app,
    "guides": guides.app,
    "slots": slots.app,
    "calendar": calendar.app,
    "wechat": wechat.app,
    "calls": calls.app,
    "train": train.app,
}
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def main() -> None:
    """The entry point: an expected error becomes one line."""
    try:
        app()
    except HuiyinError as error:
        print(f"huiyin: {error.detail}", file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:
        print(f"huiyin: {error.strerror or error}: {error.filename or ''}", file=sys.stderr)
        raise SystemExit(3) from None


@app.command()
def serve() -> None:
    """Everything in the foreground: web, workers, and the assistant beside it."""
    from service.serve import serve as run_service

    settings = read_settings()
    log.set_up(settings.log.level)
    raise SystemExit(run_service(settings))


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    run(schema.migrate(read_settings()))


@app.command()
def check() -> None:
    """Read the settings and the presets; say what is wrong."""
    from ticketing.preset import load_preset

    settings = read_settings()
    load_preset(settings.office.preset)
    print("settings: ok")
