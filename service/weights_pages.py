"""The page of what was learnt about categories: versions with their figures, learn again, put in force, roll back."""

from aiohttp import web
from sqlalchemy import select

from core.clock import write_time
from core.errors import Forbidden
from service.api.weights import KEEPERS, READERS, ask_to_learn
from service.staff_page import Page, signed_in
from service.words_of_weights import describe_figures
from ticketing import weights
from ticketing.weights import Weights

SHOWN = 50
PAGE = "/staff/weights"


@signed_in
async def show(page: Page) -> web.StreamResponse:
    if not page.me.roles & READERS:
        raise web.HTTPForbidden(text="这一页给主管、管理员和审计员看，请联系管理员。")
    preset = page.runtime.office.preset.name
    async with page.runtime.db.reading() as session:
        current, _ = await weights.in_force(session, preset)
        query = select(Weights).where(Weights.preset == preset).order_by(Weights.id.desc()).limit(SHOWN)
        rows = (await session.scalars(query)).all()
        usable = set((await session.scalars(select(Weights.id).where(Weights.content.is_not(None)))).all())
        busy = await weights.is_busy(session, preset, page.now)
    items = [
        {"version": row.id, "at": write_time(row.at), "by": row.by, "lines": describe_figures(row.outcome, row.figures),
         "usable": row.id in usable, "in_force": row.id == current, "better": row.outcome == "better"}
        for row in rows
    ]
    return await page.render("weights.html", items=items, current=current, busy=busy,
                              trouble=page.runtime.categories.trouble, may=bool(page.me.roles & KEEPERS))


@signed_in
async def learn(page: Page) -> web.StreamResponse:
    _require(page)
    async with page.runtime.db.writing() as session:
        await ask_to_learn(page.runtime, session, page.me.name, page.now)
    page.runtime.news.notify("learn")
    raise web.HTTPSeeOther(PAGE)


@signed_in
async def put_in_force(page: Page) -> web.StreamResponse:
    _require(page)
    version = int(page.request.match_info["version"][:9])
    async with page.runtime.db.writing() as session:
        await weights.put_in_force(session, page.runtime.office.preset.name, version, page.me.name, page.now)
    page.runtime.news.notify("guides")
    raise web.HTTPSeeOther(PAGE)


@signed_in
async def roll_back(page: Page) -> web.StreamResponse:
    _require(page)
    async with page.runtime.db.writing() as session:
        await weights.roll_back(session, page.runtime.office.preset.name, page.me.name, page.now)
    page.runtime.news.notify("guides")
    raise web.HTTPSeeOther(PAGE)


def _require(page: Page) -> None:
    if not page.me.roles & KEEPERS:
        raise Forbidden("这要由主管或管理员来做。")


def routes() -> list[web.RouteDef]:
    return [
        web.get(PAGE, show),
        web.post(f"{PAGE}/learn", learn),
        web.post(f"{PAGE}/roll_back", roll_back),
        web.post(rf"{PAGE}/{{version:\d+}}", put_in_force),
    ]
