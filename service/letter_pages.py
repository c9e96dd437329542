"""Letters in the console: a ticket's letters as sheets, and that one was collected at the desk."""

from urllib.parse import urlencode

from aiohttp import web

from core.checking import check_body
from core.errors import HuiyinError
from core.message import storable
from service.api.letters import Collected, respond
from service.console import Visit, signed_in
from ticketing import letter_desk


def routes() -> list[web.RouteDef]:
    return [
        web.get(r"/staff/letters/{id:\d+}/{form:pdf|txt}", give_sheet),
        web.post(r"/staff/tickets/{number}/letters/{id:\d+}", collect),
    ]


@signed_in
async def give_sheet(visit: Visit) -> web.StreamResponse:
    """The sheet, to be printed or looked at, for who may see its ticket."""
    params = visit.request.match_info
    try:
        return await respond(visit.runtime, visit.me, params["id"], params["form"])
    except HuiyinError as error:
        raise web.HTTPNotFound(text=error.detail) from None


@signed_in
async def collect(visit: Visit) -> web.StreamResponse:
    params = visit.request.match_info
    form = await visit.request.post()
    note = storable(str(form.get("note", "")).strip())
    page = f"/staff/tickets/{params['number']}"
    try:
        async with visit.runtime.db.writing() as session:
            await letter_desk.collect(
                session, visit.runtime.office, visit.me, int(params["id"][:18]),
                lambda: str(check_body(Collected, {"note": note}).note), visit.now,
            )
    except HuiyinError as error:
        raise web.HTTPSeeOther(f"{page}?{urlencode({'error': error.detail})}") from None
    raise web.HTTPSeeOther(page)
