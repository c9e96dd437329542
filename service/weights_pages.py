"""The page of what was learnt about categories: versions with their figures, learn again, put in force, roll back."""

from aiohttp import web
from sqlalchemy import select

from core import audit
from core.errors import Forbidden
from service.api.weights import KEEPERS, READERS
from service.console import Visit, signed_in
from service.words_of_weights import describe_figures
from ticketing import weights
from ticketing.views import write_time
from ticketing.weights import Weights

SHOWN = 50
PAGE = "/staff/weights"


@signed_in
async def show(visit: Visit) -> web.StreamResponse:
    if not visit.me.roles & READERS:
        raise web.HTTPForbidden(text="这一页给主管、管理员和审计员看，请联系管理员。")
    preset = visit.runtime.office.preset.name
    async with visit.runtime.db.reading() as session:
        current, _ = await weights.in_force(session, preset)
        query = select(Weights).where(Weights.preset == preset).order_by(Weights.id.desc()).limit(SHOWN)
        rows = (await session.scalars(query)).all()
        usable = set((await session.scalars(select(Weights.id).where(Weights.content.is_not(None)))).all())
        busy = await weights.is_busy(session, preset, visit.now)
    items = [
        {"version": row.id, "at": write_time(row.at), "by": row.by, "lines": describe_figures(row.outcome, row.figures),
         "usable": row.id in usable, "in_force": row.id == current, "better": row.outcome == "better"}
        for row in rows
    ]
    return await visit.render("weights.html", items=items, current=current, busy=busy,
                              trouble=visit.runtime.categories.trouble, may=bool(visit.me.roles & KEEPERS))


@signed_in
async def learn(visit: Visit) -> web.StreamResponse:
    _require(visit)
    async with visit.runtime.db.writing() as session:
        await weights.must_be_free(session, visit.runtime.office.preset.name, visit.now)
        audit.record(session, visit.now, visit.me.name, "weights:learn", "weights")
    visit.runtime.learning_for = visit.me.name
    visit.runtime.news.notify("learn")
    raise web.HTTPSeeOther(PAGE)


@signed_in
async def put_in_force(visit: Visit) -> web.StreamResponse:
    _require(visit)
    version = int(visit.request.match_info["version"][:9])
    async with visit.runtime.db.writing() as session:
        await weights.put_in_force(session, visit.runtime.office.preset.name, version, visit.me.name, visit.now)
    visit.runtime.news.notify("guides")
    raise web.HTTPSeeOther(PAGE)


@signed_in
async def roll_back(visit: Visit) -> web.StreamResponse:
    _require(visit)
    async with visit.runtime.db.writing() as session:
        await weights.roll_back(session, visit.runtime.office.preset.name, visit.me.name, visit.now)
    visit.runtime.news.notify("guides")
    raise web.HTTPSeeOther(PAGE)


def _require(visit: Visit) -> None:
    if not visit.me.roles & KEEPERS:
        raise Forbidden("这要由主管或管理员来做。")


def routes() -> list[web.RouteDef]:
    return [
        web.get(PAGE, show),
        web.post(f"{PAGE}/learn", learn),
        web.post(f"{PAGE}/roll_back", roll_back),
        web.post(rf"{PAGE}/{{version:\d+}}", put_in_force),
    ]
