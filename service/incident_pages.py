"""The console's pages of incidents and hot spots: what many people report, confirmed, dismissed or ended here."""

from typing import Any

from aiohttp import web
from sqlalchemy import select

from core.checking import check_body
from core.errors import Forbidden
from core.message import storable
from service import incident_watch
from service.api import incidents as api
from service.staff_page import Page, signed_in
from ticketing import hotspots, incident_desk
from ticketing.bodies import Reason
from ticketing.incidents import CONFIRMED, DRAFT, Incident

SHOWN = 50
STATUSES = {"draft": "待核实", "confirmed": "已确认", "dismissed": "不是同一事件", "ended": "已结束"}


@signed_in
async def list_incidents(page: Page) -> web.StreamResponse:
    """What waits for a decision first, then what is told to residents, then what is over."""
    _require(page)
    async with page.runtime.db.reading() as session:
        query = select(Incident).where(incident_desk.is_visible(page.me)).order_by(
            Incident.status != DRAFT, Incident.status != CONFIRMED, Incident.id.desc())
        rows = (await session.scalars(query.limit(SHOWN))).all()
        items = [await api.describe_for(session, page.me, row) for row in rows]
    return await page.render(
        "incidents.html", items=items, statuses=STATUSES, categories=_categories(page),
        may_decide=bool(page.me.roles & api.DECIDERS),
    )


@signed_in
async def decide(page: Page) -> web.StreamResponse:
    """The same checks as the API's; what the form left empty was not said."""
    _require(page)
    form = await page.request.post()
    said = {name: storable(str(value).strip()) for name, value in form.items() if name != "form_token"}
    async with page.runtime.db.writing() as session:
        incident = await incident_desk.find(session, page.me, int(page.request.match_info["id"][:18]))
        if not page.me.roles & api.DECIDERS:
            raise Forbidden("核实突发事件需要坐席或主管角色，请联系管理员。")
        await DECISIONS[page.request.match_info["deed"]](page, session, incident, said)
    page.runtime.news.notify("outbox")
    raise web.HTTPSeeOther("/staff/incidents")


async def _confirm(page: Page, session: Any, incident: Incident, said: dict[str, str]) -> None:
    body: dict[str, Any] = {name: said[name] for name in ("text", "title", "lead") if said.get(name)}
    for name in ("places", "leave_out"):
        lines = [line.strip() for line in said.get(name, "").splitlines() if line.strip()]
        body |= {name: lines} if lines else {}
    confirmed = await incident_desk.confirm(session, page.runtime.office, page.me, incident, body, page.now)
    await incident_watch.put_up(page.runtime, session, confirmed, page.me.name, page.now)


async def _dismiss(page: Page, session: Any, incident: Incident, said: dict[str, str]) -> None:
    body = check_body(Reason, {"reason": said.get("reason", "")})
    await incident_desk.dismiss(session, page.me, incident, body.reason, page.now)


async def _end(page: Page, session: Any, incident: Incident, _said: dict[str, str]) -> None:
    await incident_desk.end(session, page.me, incident, page.now)
    await incident_watch.take_down(session, incident, page.me.name, page.now)


DECISIONS = {"confirm": _confirm, "dismiss": _dismiss, "end": _end}


@signed_in
async def list_hot_spots(page: Page) -> web.StreamResponse:
    _require(page)
    start, end = api.read_period(None, None, page.now)
    async with page.runtime.db.reading() as session:
        items = await hotspots.count(session, page.me, start, end, SHOWN)
    return await page.render("hot_spots.html", items=items, categories=_categories(page))


def _categories(page: Page) -> dict[str | None, str]:
    return {item.code: item.name for item in page.runtime.office.preset.categories}


def _require(page: Page) -> None:
    if not page.me.roles & api.READERS:
        raise web.HTTPForbidden(text="这一页需要坐席、专员、主管或审计角色，请联系管理员。")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/staff/incidents", list_incidents),
        web.post(r"/staff/incidents/{id:\d+}/{deed:confirm|dismiss|end}", decide),
        web.get("/staff/hot-spots", list_hot_spots),
    ]
