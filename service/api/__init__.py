"""/api/v1: every endpoint in one table, and the routes and the description made from it."""

from aiohttp import web

from core.errors import NotFound
from service.api import (
    appointments,
    assistant,
    attachments,
    conversations,
    drafts,
    guides,
    incidents,
    knowledge,
    letters,
    office,
    openapi,
    queue_rows,
    quick_work,
    rehearsals,
    residents,
    roster,
    tickets,
    unanswered,
    visits,
    weights,
)
from service.api.endpoint import Endpoint, make_view, problem

BASE = "/api/v1"

ENDPOINTS: tuple[Endpoint, ...] = (
    *appointments.ENDPOINTS,
    *assistant.ENDPOINTS,
    *conversations.ENDPOINTS,
    *queue_rows.ENDPOINTS,
    *knowledge.ENDPOINTS,
    *guides.ENDPOINTS,
    *unanswered.ENDPOINTS,
    *rehearsals.ENDPOINTS,
    *letters.ENDPOINTS,
    *office.ENDPOINTS,
    *residents.ENDPOINTS,
    *roster.ENDPOINTS,
    *quick_work.ENDPOINTS,
    *drafts.ENDPOINTS,
    *weights.ENDPOINTS,
    *visits.ENDPOINTS,
    *incidents.ENDPOINTS,
    *tickets.ENDPOINTS,
)
"""Tickets last: `/tickets/{number}/{verb}` takes whatever no other line took."""


def routes() -> list[web.RouteDef]:
    """All routes of the API. A path that does not exist answers as problem details too."""
    found = [web.route(item.method, BASE + item.path, make_view(item)) for item in ENDPOINTS]
    found += attachments.routes(BASE)
    found += letters.routes(BASE)
    found.append(web.get(BASE + "/openapi.json", _describe))
    found.append(web.route("*", BASE + "/{rest:.*}", _unknown))
    return found


async def _describe(_request: web.Request) -> web.Response:
    described = openapi.describe(ENDPOINTS, BASE)
    described["paths"] |= attachments.described(BASE) | letters.described(BASE)
    return web.json_response(described)


async def _unknown(_request: web.Request) -> web.Response:
    return problem(NotFound(f"there is nothing here: {BASE}/openapi.json lists what there is"))
