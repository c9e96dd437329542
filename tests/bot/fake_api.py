"""A fake of the service's API for the assistant's own trials; every call is kept in `calls`.

A matter is named `resident.ordinal`, as the player counts them; what a name holds (`oneshot`, `closed`, `booked`,
`noslots`) decides how the office is. `/control` sets a fault, the moment, or the state of a resident's tickets, or what they lack.
"""
from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from service import alarms

WORDS = {"registered": "已登记，等待受理", "in_progress": "正在办理", "replied": "已答复", "closed": "已办结",
         "followed_up": "已办结并回访", "withdrawn": "已撤回"}
OPEN = ("registered", "in_progress")
SERVICES = ("居住证办理", "营业执照办理")
BRING = {"居住证办理": ["身份证原件", "住址证明"], "营业执照办理": []}
STARTS = [(day, hour) for day in ("2026-11-27", "2026-11-30", "2026-12-01", "2026-12-02") for hour in (9, 10, 11, 14, 15)]
FULL = {("2026-12-02", 9)}
UNDERSTOOD = [("建议", "suggestion", "greening"), ("表扬", "praise", "staff"), ("怎么交", "consultation", "fees"), ("垃圾", "complaint", "cleaning"),
              ("电梯", "request", "lifts"), ("路灯", "request", "repairs"), ("噪音", "complaint", "noise"), ("收了", "complaint", "fees")]
"""What the service makes of a part of a message, by its words: a stand-in for the real one, which acceptance tests ask."""
Said = tuple[int, dict[str, Any]]


def make_app() -> web.Application:
    """The contract the actions rely on; `/calls` and `/control` are for the tests."""
    app = web.Application()
    app["answered"] = {}
    app["calls"], app["tickets"], app["appointments"], app["control"] = [], [], [], {
        "fail": False, "settled": {}, "at": ""}

    async def answer(request: web.Request) -> web.Response:
        body: Any = await request.json() if request.can_read_body else None
        path = request.path.removeprefix("/api/v1")
        matter = request.headers.get("X-Huiyin-Matter", "")
        app["calls"].append({"method": request.method, "path": path, "body": body, "matter": matter,
                             "resident": matter.split(".")[0], "key": request.headers.get("Idempotency-Key")})
        if app["control"]["fail"]:
            return web.json_response({"status": 500, "detail": "later"}, status=500)
        answered: dict[str, Said] = app["answered"]
        if path == "/alarms" and (key := request.headers.get("Idempotency-Key", "")) in answered:
            status, said = answered[key]
            return web.json_response(said, status=status)
        query = {name: values[0] for name, values in parse_qs(request.query_string).items()}
        status, said = _respond(app, request.method, path, body, matter, query)
        if path == "/alarms":
            answered[key] = status, said
        return web.json_response(said, status=status)

    async def calls(request: web.Request) -> web.Response:
        resident = request.query.get("resident")
        return web.json_response([c for c in app["calls"] if resident in (None, c["resident"])])

    async def control(request: web.Request) -> web.Response:
        asked = await request.json()
        for ticket in app["tickets"]:
            if ticket["resident"] == asked.get("resident") and "state" in asked:
                ticket |= {"state": asked["state"], "state_text": WORDS[asked["state"]],
                           "replies": [{"text": "已派人修好", "approved_at": "2026-11-26T15:00:00+08:00"}]}
            if ticket["resident"] == asked.get("resident") and "missing" in asked:
                ticket["missing"] = asked["missing"]
        if "settled" in asked:
            app["control"]["settled"][asked["resident"]] = asked["settled"]
        app["control"] |= {name: asked[name] for name in ("fail", "at") if name in asked}
        return web.json_response(app["control"])

    app.router.add_get("/calls", calls)
    app.router.add_post("/control", control)
    app.router.add_route("*", "/api/v1/{tail:.*}", answer)
    return app


def _respond(app: web.Application, method: str, path: str, body: Any, matter: str, query: dict[str, str]) -> Said:
    resident = matter.split(".")[0]
    if path == "/matter":
        return 200, {"matter": matter, "interactive": "oneshot" not in matter, "known": {"name": False, "phone": False},
                     "settled": app["control"]["settled"].get(resident)}
    if path == "/answers":
        return 200, _answer(body)
    if path == "/categories":
        return 200, {"items": [{"code": "repairs", "name": "报修", "materials": ["房号", "故障部位", "可上门时间"]}], "next": None}
    if path == "/understand":
        return 200, _understand(body["text"])
    if path == "/hand-over":
        again = sum(c["path"] == "/hand-over" and c["resident"] == resident for c in app["calls"]) > 1
        if "closed" in matter:
            return 200, {"conversation": 1, "position": 0, "open": False, "ticket": "HY20261126-90001", "again": again,
                         "promise": "明天九点后有人联系您。"}
        return 200, {"conversation": 1, "position": 2, "open": True, "ticket": None, "promise": "5分钟内回复您。"}
    if path.startswith("/slots") or path.startswith("/appointments"):
        return _appointments(app, method, path, body, resident, query)
    return _tickets(app, method, path, body, resident, query)


def _understand(text: str) -> dict[str, Any]:
    if re.match(r"\d+栋\d+单元.{,8}$", text):
        return {"kind": None, "category": None, "category_confidence": None}  # As the real one does with what begins like an address.
    kind, category = next((meant for word, *meant in UNDERSTOOD if word in text), (None, None))
    return {"kind": kind, "category": category, "category_confidence": 0.6 if "好多次" in text else 0.9 if category else None}


def _answer(body: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"status": "no_guide", "text": "", "citations": [], "candidates": []}
    if "周六" in body["question"]:
        return said | {"status": "answered", "text": "周六上午九点到十二点照常办理。（出处：办公时间，示例）"}
    if "物业费" in body["question"]:
        return said | {"status": "answered", "text": "物业费按建筑面积计收。（出处：物业费，示例）"}
    if body.get("chosen") == "residence-permit" or "带什么" in body["question"] or "居住证办理 " in body["question"]:
        return said | {"status": "answered", "text": "居住证材料：身份证、住址证明。（出处：居住证办理，示例）"}
    if "办证" in body["question"] and "狗" not in body["question"]:
        return said | {"status": "clarify", "text": "您想问的是哪一项？", "choices": [
            {"guide": "residence-permit", "title": "居住证办理"},
            {"guide": "business-licence", "title": "营业执照办理"}]}
    return said


def _tickets(
    app: web.Application, method: str, path: str, body: Any, resident: str, query: dict[str, str]
) -> Said:
    own = [t for t in reversed(app["tickets"]) if t["resident"] == resident]
    if path == "/alarms":
        return _raise_alarm(app, own, body, resident)
    if path == "/tickets" and method == "POST":
        number = f"HY20261126-{len(app['tickets']) + 1:05d}"
        ticket = {"number": number, "code": "4821", "promise": "1个工作日内联系您。", "state": "registered",
                  "state_text": WORDS["registered"], "title": body["description"][:20], "resident": resident,
                  "category": "repairs" if body["kind"] == "request" else None, "transitions": [], "replies": [],
                  "description": body["description"], "place": body.get("place"), "urgency": body.get("urgency", "routine"),
                  "confidential": bool(body.get("confidential")),
                  "registered_at": app["control"]["at"]}
        app["tickets"].append(ticket)
        return 201, ticket
    if path == "/tickets":
        items = [t for t in own if query.get("urgency") in (None, t["urgency"])]
        return 200, {"items": items[:int(query.get("limit", 20))], "next": None}
    found = next((t for t in own if t["number"] in path), None)
    if found is None:
        return 404, {"status": 404, "detail": "没有这个工单"}
    verb = path.rsplit("/", 1)[-1] if method == "POST" else ""
    if verb and (verb == "follow_up") == (found["state"] in OPEN):
        return 409, {"status": 409, "detail": "now is not the time"}
    if verb == "urge":
        found["transitions"].append({"verb": "urge", "at": "2026-11-26T10:00:00.000+08:00"})
    if verb == "withdraw":
        found |= {"state": "withdrawn", "state_text": WORDS["withdrawn"]}
    return 200, found


def _raise_alarm(app: web.Application, own: list[dict[str, Any]], body: dict[str, Any], resident: str) -> Said:
    """By the service's own rule (service/alarms.py); only the half hour is counted here."""
    now, cry = app["control"]["at"], alarms.read_cry(body["text"], body.get("place"))
    for ticket in own:
        fresh = abs(datetime.fromisoformat(now) - datetime.fromisoformat(ticket["registered_at"])) <= alarms.SAME_DANGER
        if ticket["urgency"] == "emergency" and ticket["state"] in OPEN and fresh and alarms.is_one(
                alarms.read_cry(ticket["description"], ticket["place"]), cry):
            ticket["description"] += f"\n{body['text']}"
            return 200, {"number": ticket["number"], "joined": True, "promise": ticket["promise"]}
    registered = {"kind": "request", "urgency": "emergency", "description": body["text"], "place": body.get("place")}
    _, ticket = _tickets(app, "POST", "/tickets", registered, resident, {})
    return 201, {"number": ticket["number"], "joined": False, "promise": ticket["promise"]}


def _slots(resident: str) -> list[dict[str, Any]]:
    if "noslots" in resident:
        return []
    return [{"id": n * 100 + k, "service": service, "starts_at": f"{day}T{hour:02d}:00:00+08:00",
             "ends_at": f"{day}T{hour:02d}:30:00+08:00", "capacity": 1, "booked": 0, "free": 1, "counter": "3号窗口"}
            for n, service in enumerate(SERVICES, 1) for k, (day, hour) in enumerate(STARTS) if (day, hour) not in FULL]


def _appointments(
    app: web.Application, method: str, path: str, body: Any, resident: str, query: dict[str, str]
) -> Said:
    slots, mine = _slots(resident), [a for a in app["appointments"] if a["resident"] == resident]
    if path == "/slots/services":
        return 200, {"items": [{"service": name, "bring": BRING[name]} for name in SERVICES if slots], "next": None}
    if path == "/slots":
        taken = {a["slot"] for a in app["appointments"] if a["status"] == "booked" and a["resident"] == resident}
        first, last = query.get("from", ""), query.get("to", "9")
        return 200, {"items": [s for s in slots if s["service"] == query["service"] and s["id"] not in taken
                               and first <= s["starts_at"][:10] <= last], "next": None}
    if path == "/appointments" and method == "GET":
        return 200, {"items": [a for a in mine if a["status"] == query.get("status", a["status"])], "next": None}
    if path == "/appointments":
        if "taken" in resident and not any(c["path"] == "/appointments" and c["resident"] == resident and c["body"] != body
                                           for c in app["calls"] if c["method"] == "POST"):
            return 409, {"status": 409, "detail": "full", "reason": "full"}
        made = {"id": len(app["appointments"]) + 1, "resident": resident, "status": "booked"}
        made["number"] = f"YY20261126-{made['id']:05d}"
        app["appointments"].append(made)
        return 201, _fill(made, slots, body["slot"])
    found = next((a for a in mine if f"/{a['id']}/" in path), None)
    if found is None:
        return 404, {"status": 404, "detail": "没有这个预约"}
    if path.endswith("/cancel"):
        found["status"] = "cancelled"
        return 200, found
    return 200, _fill(found, slots, body["slot"])


def _fill(made: dict[str, Any], slots: list[dict[str, Any]], slot_id: int) -> dict[str, Any]:
    slot = next(s for s in slots if s["id"] == slot_id)
    made |= {"slot": slot_id, "bring": BRING[slot["service"]]}
    made |= {name: slot[name] for name in ("service", "starts_at", "ends_at", "counter")}
    return made


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
