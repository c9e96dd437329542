"""Pages of others that may carry the chat: `web.embed_origins`, and nobody else."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from service.api.endpoint import RUNTIME

CHAT = "/channels/webchat/"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _origin(request: web.Request) -> str | None:
    """The calling page's origin, if it may use the chat from there."""
    origin = request.headers.get("Origin", "")
    known = request.app[RUNTIME].settings.web.embed_origins
    return origin if request.path.startswith(CHAT) and origin in known else None


@web.middleware
async def answer_preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A browser asks before it lets a page send a token or a file to us."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return await handler(request)
    if _origin(request) is None:
        return web.Response(status=403, text="this origin is not in web.embed_origins")
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
            "Access-Control-Max-Age": "600",
        },
    )


async def allow_origin(request: web.Request, response: web.StreamResponse) -> None:
    """Before any answer begins, a stream's too."""
    if request.path.startswith(CHAT):
        response.headers.add("Vary", "Origin")
        if origin := _origin(request):
            response.headers["Access-Control-Allow-Origin"] = origin


def frame_ancestors(request: web.Request) -> str:
    """Who may show the embedded chat in a frame."""
    return " ".join(["'self'", *request.app[RUNTIME].settings.web.embed_origins])
