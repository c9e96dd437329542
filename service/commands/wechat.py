"""huiyin wechat: the account's menu, and codes for posters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import segno
import typer

from channels.base import SendError
from channels.wechat.api import Api
from core import audit, clock
from core.db import Database
from core.errors import HuiyinError, Misconfigured
from service import scenes, schema
from service.commands.common import new_group, opened, read_settings, run
from service.menu import build_menu

app = new_group("WeChat official accounts.")
Account = Annotated[str, typer.Option(help="Its name in wechat.accounts.")]


@app.command("menu")
def make_menu(account: Account = "main") -> None:
    """Put the menu of config.yml (or the usual one) at the foot of the account."""
    run(_make_menu(account))


@app.command("qrcode")
def make_code(
    scene: str,
    place: Annotated[str, typer.Option(help="Where the poster hangs; empty: the scene's own name.")] = "",
    kind: Annotated[str, typer.Option(help="complaint, request or suggestion.")] = "complaint",
    out: Annotated[Path | None, typer.Option(help="A .png or .svg file; default SCENE.png.")] = None,
    account: Account = "main",
) -> None:
    """A code whose scan opens a complaint (or request, or suggestion) about one place."""
    run(_make_code(account, scene, place or scene, kind, out or Path(f"{scene}.png")))


async def _make_menu(account: str) -> None:
    settings = read_settings()
    async with _api(account) as (api, _db):
        menu = build_menu(settings.wechat.accounts[account], settings.web.public_url)
        await api.post("/cgi-bin/menu/create", menu)
    for button in menu["button"]:
        print(" ".join([button["name"], *(inner["name"] for inner in button.get("sub_button", []))]))


async def _make_code(account: str, scene: str, place: str, kind: str, out: Path) -> None:
    if kind not in scenes.KINDS:
        raise Misconfigured(f"--kind {kind}: one of {', '.join(scenes.KINDS)}")
    if not 0 < len(scene) <= 64 or not scene.isprintable() or "/" in scene:
        raise Misconfigured("a scene's name has 1 to 64 characters and no slash")
    if out.suffix not in (".png", ".svg"):
        raise Misconfigured(f"--out {out}: a .png or .svg file")
    body = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": scene}}}
    async with _api(account) as (api, db):
        address = str((await api.post("/cgi-bin/qrcode/create", body, proof="url"))["url"])
        await asyncio.to_thread(segno.make(address, error="m").save, str(out), scale=12)
        now = clock.now()
        async with db.writing() as session:
            await scenes.remember(session, account, scene, place, kind, now)
            audit.record(session, now, "cli", "wechat:qrcode", f"wechat:{account}:{scene}")
    print(f"{out}: {place}")


@asynccontextmanager
async def _api(account: str) -> AsyncIterator[tuple[Api, Database]]:
    settings = read_settings()
    if account not in settings.wechat.accounts:
        known: Any = ", ".join(settings.wechat.accounts) or "none is configured"
        raise Misconfigured(f"--account {account}: {known}")
    await schema.migrate(settings)  # An office makes its posters before it starts the service.
    async with opened() as db, aiohttp.ClientSession() as http:
        try:
            yield Api(account, settings.wechat.accounts[account], db, http), db
        except SendError as error:
            raise HuiyinError(error.detail) from None
