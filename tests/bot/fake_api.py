"""A fake of the service's API for the assistant's own trials; every call is kept in `calls`."""
from __future__ import annotations

import sys
from typing import Any

from aiohttp import web


def make_app(interactive: bool = True) -> web.Application:
    """The contract the actions rely on; `/calls` and `/control` are for the tests."""
    app = web.Application()
    app["calls"], app["tickets"], app["control"] = [], [], {"fail": False}

    async def answer(request: web.Request) -> web.Response:
        body: Any = await request.json() if request.can_read_body else None
        path = request.path.removeprefix("/api/v1")
        app["calls"].append({"method": request.method, "path": path, "body": body,
                             "matter": request.headers.get("X-Huiyin-Matter"),
                             "key": request.headers.get("Idempotency-Key")})
        if app["control"]["fail"]:
            return web.json_response({"status": 500, "detail": "later"}, status=500)
        status, said = _respond(app, request.method, path, body, request.headers.get("X-Huiyin-Matter", ""))
        return web.json_response(said, status=status)

    async def calls(request: web.Request) -> web.Response:
        matter = request.query.get("matter")
        return web.json_response([c for c in app["calls"] if matter in (None, c["matter"])])

    async def control(request: web.Request) -> web.Response:
        app["control"] |= await request.json()
        return web.json_response(app["control"])

    app.router.add_get("/calls", calls)
    app.router.add_post("/control", control)
    app.router.add_route("*", "/api/v1/{tail:.*}", answer)
    return app


def _respond(app: web.Application, method: str, path: str, body: Any, matter: str) -> tuple[int, dict[str, Any]]:
    if path == "/matter":
        return 200, {"matter": matter, "interactive": "oneshot" not in matter, "known": {"name": False, "phone": False}}
    if path == "/answers":
        if "物业费" in body["question"]:
            return 200, {"status": "answered", "text": "物业费按建筑面积计收。（出处：物业费，示例）", "citations": [], "candidates": []}
        return 200, {"status": "no_guide", "text": "", "citations": [], "candidates": []}
    if path == "/hand-over":
        return 200, {"conversation": 1, "position": 2, "open": True, "ticket": None, "promise": "5分钟内回复您。"}
    if path == "/tickets" and method == "POST":
        number = f"HY20261126-{len(app['tickets']) + 1:05d}"
        ticket = {"number": number, "code": "4821", "promise": "1个工作日内联系您。", "state": "registered",
                  "state_text": "已登记，等待受理", "title": body["description"][:20], "matter": matter}
        app["tickets"].append(ticket)
        return 201, ticket
    own = [t for t in reversed(app["tickets"]) if t["matter"] == matter]
    if path == "/tickets":
        return 200, {"items": own, "next": None}
    found = next((t for t in own if t["number"] in path), None)
    return (200, found) if found else (404, {"status": 404, "detail": "没有这个工单"})


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
