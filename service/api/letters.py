"""Letters over the API: the register, one letter, its sheet, and that it was collected."""

from typing import Any, get_args
from urllib.parse import quote

from aiohttp import web
from pydantic import Field
from sqlalchemy import select

from core import clock
from core.checking import Body
from core.clock import write_time
from core.errors import HuiyinError, Invalid, NotFound
from service import letter_paper
from service.api.endpoint import RUNTIME, Call, Endpoint, Result, cut, page, problem, reading_on_record
from service.auth import identify
from service.runtime import Runtime
from ticketing import letter_desk, letters
from ticketing.letter_texts import LetterKind
from ticketing.letters import Sheet
from ticketing.model import Letter, Ticket
from ticketing.staff import Actor
from ticketing.visibility import visible

KINDS = get_args(LetterKind)
PATH = "/letters"
NOT_THERE = "there is no such letter: GET /letters lists those you may see"


class Collected(Body):
    note: str = Field(min_length=1, max_length=500)
    """Who came and what he showed: 本人，出示身份证."""


async def list_letters(call: Call) -> Result:
    """The register 文号登记簿, newest first."""
    limit, after = call.limit(), call.after()
    query = select(Letter, Ticket).join(Ticket, Ticket.id == Letter.ticket_id).where(visible(call.actor))
    if number := call.query.get("ticket"):
        query = query.where(Ticket.number == number)
    if kind := call.query.get("kind"):
        if kind not in KINDS:
            raise Invalid(f"kind is one of {', '.join(KINDS)}", "kind")
        query = query.where(Letter.kind == kind)
    if after is not None:
        query = query.where(Letter.id < after)
    rows, more = cut((await call.session.execute(query.order_by(Letter.id.desc()).limit(limit + 1))).all(), limit)
    return page([describe(row[0], row[1]) for row in rows], rows[-1][0].id if rows else None, more)


def describe(letter: Letter, ticket: Ticket) -> dict[str, Any]:
    found = letters.describe(letter) | {"ticket": ticket.number}
    return {name: write_time(value) if name.endswith("_at") else value for name, value in found.items()}


async def read(call: Call) -> Result:
    return Result(await _describe_fully(call))


async def _describe_fully(call: Call) -> dict[str, Any]:
    letter, ticket, sheet = await letter_desk.read(
        call.session, call.runtime.office, call.actor, call.number("id"), call.now
    )
    found = describe(letter, ticket) | {
        "text": letter_paper.write(sheet), "staff_number": letter.staff_number, "unit": letter.unit,
    }
    if call.actor.resident_id is None:
        found |= {"collected_by": letter.collected_by, "collected_note": letter.collected_note}
    return found


async def collect(call: Call) -> Result:
    await letter_desk.collect(
        call.session, call.runtime.office, call.actor, call.number("id"), lambda: call.body().note, call.now
    )
    call.after_commit += ["outbox", "tickets"]
    return Result(await _describe_fully(call))


def routes(base: str) -> list[web.RouteDef]:
    """The sheets are bytes, so they stand beside the table of endpoints."""
    return [web.get(base + PATH + "/{id}/{form:pdf|txt}", _give_sheet)]


def described(base: str) -> dict[str, Any]:
    problems = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    bad = {"401": "no or unknown token", "404": "not there, or not to be seen"}
    found = {}
    for form, kind in (("pdf", "application/pdf"), ("txt", "text/plain")):
        found[f"{base}{PATH}/{{id}}/{form}"] = {"get": {
            "operationId": f"get_letters_id_{form}", "summary": f"A letter as {form}", "tags": ["letters"],
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": {
                "200": {"description": "the sheet", "content": {kind: {"schema": {"type": "string"}}}},
                **{code: {"description": text, "content": problems} for code, text in bad.items()},
            },
        }}
    return found


async def _give_sheet(request: web.Request) -> web.StreamResponse:
    try:
        runtime = request.app[RUNTIME]
        actor = identify(runtime, request).actor
        return await respond(runtime, actor, request.match_info["id"], request.match_info["form"])
    except HuiyinError as error:
        return problem(error)


async def respond(runtime: Runtime, actor: Actor, letter_id: str, form: str) -> web.StreamResponse:
    """The sheet for a member of staff who may see its ticket. Raises NotFound."""
    if not letter_id.isascii() or not letter_id.isdecimal() or len(letter_id) > 18:
        raise NotFound(NOT_THERE)
    async with reading_on_record(runtime.db) as session:
        _, _, sheet = await letter_desk.read(session, runtime.office, actor, int(letter_id), clock.now())
    return await serve(sheet, form)


async def serve(sheet: Sheet, form: str) -> web.Response:
    """`pdf` or `txt`, as a download."""
    body = await letter_paper.draw(sheet) if form == "pdf" else letter_paper.write(sheet).encode()
    headers = {
        "Content-Type": "application/pdf" if form == "pdf" else "text/plain; charset=utf-8",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{sheet.file_name}.{form}')}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(body=body, headers=headers)


ENDPOINTS = (
    Endpoint("GET", PATH, list_letters, "The register of letters, newest first",
             query=("ticket", "kind", "limit", "after"), tag="letters"),
    Endpoint("GET", PATH + "/{id}", read, "One letter with its text", session="write", tag="letters"),
    Endpoint("POST", PATH + "/{id}/collected", collect, "The resident took the letter at the desk", Collected,
             session="write", tag="letters"),
)
