"""Files over the API: bring one for a reply, read one that came with a message."""

from typing import Any
from urllib.parse import quote

from aiohttp import web
from sqlalchemy import and_, or_, select

from channels.files import NotAllowed
from channels.webchat.requests import Refused, read_upload
from core import audit, clock
from core.attachments import StoredFile
from core.conversation import Conversation
from core.errors import Conflict, Forbidden, HuiyinError, Invalid, NotFound
from core.message import storable
from service.api.conversations import describe_file
from service.api.conversations import visible as conversation_visible
from service.api.endpoint import RUNTIME, problem
from service.auth import identify
from service.runtime import Runtime
from ticketing.model import Ticket
from ticketing.staff import Actor
from ticketing.visibility import visible as ticket_visible

PATH = "/attachments"
UPLOADERS = frozenset({"clerk", "officer", "supervisor", "inspector"})


class TooLarge(HuiyinError):
    """The file is larger than `attachments.max_bytes`."""

    status = 413
    title = "Too large"


class WrongKind(HuiyinError):
    """The file's content is of a kind that is not taken."""

    status = 415
    title = "Kind of file not taken"


def routes(base: str) -> list[web.RouteDef]:
    """They answer with bytes, so they stand beside the table of endpoints."""
    return [web.get(base + PATH + "/{id}", _read), web.post(base + PATH, _upload)]


def described(base: str) -> dict[str, Any]:
    """Both addresses as OpenAPI has them: bytes in and bytes out, which the table of endpoints cannot say."""
    octets = {"schema": {"type": "string", "format": "binary"}}
    form = {"schema": {"type": "object", "required": ["file"], "properties": {"file": octets["schema"]}}}
    problems = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

    def answers(good: dict[str, Any], **bad: str) -> dict[str, Any]:
        return good | {code[1:]: {"description": text, "content": problems} for code, text in bad.items()}

    read = {
        "operationId": "get_attachments_id", "summary": "A file of a message, as a download", "tags": ["attachments"],
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": answers(
            {"200": {"description": "the bytes", "content": {"application/octet-stream": octets}}},
            _401="no or unknown token", _404="not there, or not to be seen", _409="still being fetched, or not kept",
        ),
    }
    upload = {
        "operationId": "post_attachments", "summary": "A file for a reply (submit {attachments: [id]})",
        "tags": ["attachments"],
        "parameters": [{"name": "name", "in": "query", "schema": {"type": "string"}}],
        "requestBody": {"required": True, "content": {"multipart/form-data": form, "application/octet-stream": octets}},
        "responses": answers(
            {"201": {"description": "kept: its id, name, type, size and url"}}, _401="no or unknown token",
            _403="the role does not allow it", _413="too large", _415="a kind that is not taken", _422="no file",
        ),
    }
    return {f"{base}{PATH}/{{id}}": {"get": read}, f"{base}{PATH}": {"post": upload}}


async def _read(request: web.Request) -> web.StreamResponse:
    try:
        runtime = request.app[RUNTIME]
        actor = identify(runtime, request).actor
        return await respond(runtime, actor, request.match_info["id"])
    except HuiyinError as error:
        return problem(error)


async def respond(runtime: Runtime, actor: Actor, file_id: str) -> web.StreamResponse:
    """The file as a download, for who may see its conversation or one of its tickets. Raises NotFound, Conflict."""
    if not file_id.isascii() or not file_id.isdecimal() or len(file_id) > 18:
        raise NotFound("there is no such file: a message's `attachments` name those there are")
    async with runtime.db.reading() as session:
        row = await session.scalar(select(StoredFile).where(StoredFile.id == int(file_id), _visible(actor)))
        session.expunge_all()
    if row is None:
        raise NotFound("there is no such file: a message's `attachments` name those there are")
    return serve_file(runtime, row)


def serve_file(runtime: Runtime, row: StoredFile) -> web.StreamResponse:
    """The bytes, never shown within a page of ours. Conflict while there are none."""
    path = runtime.files.locate(row.path) if row.path else None
    if path is None or not path.is_file():
        waits = row.fetch_at is not None
        raise Conflict("the file is still being fetched: ask again in a moment" if waits else
                       f"the file could not be kept ({row.last_error or 'it is gone'}); the message's raw form has it")
    headers = {
        "Content-Type": row.type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.name)}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
    return web.FileResponse(path, headers=headers)


def _visible(actor: Actor) -> Any:
    """As conversations and tickets are: what belongs to a report is the inspectors' alone."""
    tickets = select(Ticket.id).where(
        or_(Ticket.conversation_id == StoredFile.conversation_id, Ticket.id == StoredFile.ticket_id)
    )
    reported = tickets.where(Ticket.kind == "report").exists()
    talks = select(Conversation.id).where(
        Conversation.id == StoredFile.conversation_id, conversation_visible(actor)
    )
    by_ticket: Any = tickets.where(ticket_visible(actor)).exists()
    if "inspector" not in actor.roles:
        by_ticket = and_(by_ticket, ~reported)
    return or_(talks.exists(), by_ticket, StoredFile.uploaded_by == actor.name)


async def _upload(request: web.Request) -> web.StreamResponse:
    """A file for a reply (`submit {attachments: [id…]}`), as form data with a field `file`, or the bare bytes."""
    try:
        runtime = request.app[RUNTIME]
        actor = identify(runtime, request).actor
        if not actor.roles & UPLOADERS:
            raise Forbidden(f"this needs the role {' or '.join(sorted(UPLOADERS))}")
        upload = await read_upload(request, runtime.files.max_bytes)
        kept = await runtime.files.keep(upload.content, storable(upload.name))
        now = clock.now()
        async with runtime.db.writing() as session:
            row = StoredFile(
                uploaded_by=actor.name, name=kept.name, type=kept.type, size=kept.size, path=kept.path, at=now
            )
            session.add(row)
            await session.flush()
            audit.record(session, now, actor.name, "attachment:upload", f"attachment:{row.id}")
            described = describe_file(row)
        return web.json_response(described, status=201, headers={"Location": described["url"]})
    except NotAllowed as error:
        return problem(WrongKind(f"this kind of file is not taken ({error}): attachments.allow lists them"))
    except Refused as error:
        return problem(TooLarge(error.detail) if error.status == 413 else Invalid(error.detail, "file"))
    except HuiyinError as error:
        return problem(error)
