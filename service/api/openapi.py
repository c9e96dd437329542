"""The API described as OpenAPI 3.1, from the same table that routes it."""

import re
from typing import Any

from pydantic import BaseModel

from service.api.endpoint import PROBLEM, Endpoint
from ticketing.lifecycle import VERBS

READ_ERRORS = {"401": "no or unknown token", "403": "the role does not allow it", "404": "not there, or not to be seen",
               "422": "a missing or wrong field", "429": "too many tries"}
WRITE_ERRORS = READ_ERRORS | {"409": "not possible in this state", "412": "changed meanwhile"}


def describe(endpoints: tuple[Endpoint, ...], base: str) -> dict[str, Any]:
    """The whole document."""
    schemas: dict[str, Any] = {
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                "detail": {"type": "string", "description": "says what to do next"}, "field": {"type": "string"},
                "changed": {"type": "array", "items": {"type": "object"},
                            "description": "with 412: what was done meanwhile, by which verb, to which fields"},
            },
        }
    }
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        for path, item in _expand(endpoint):
            operation = _operation(item, path, schemas)
            paths.setdefault(base + path, {})[item.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Huiyin 回音", "version": "1",
                 "description": "The front desk of a service window. Times are RFC 3339; lists go by cursor."},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _expand(endpoint: Endpoint) -> list[tuple[str, Endpoint]]:
    """The one route of all verbs is many operations to a reader: one a verb, with its own body."""
    if "{verb}" not in endpoint.path:
        return [(endpoint.path, endpoint)]
    found = []
    for verb, row in VERBS.items():
        changed = Endpoint("POST", endpoint.path, endpoint.handler, f"{verb} {row.chinese}", row.body,
                           session="write", tag="verbs")
        found.append((endpoint.path.replace("{verb}", verb), changed))
    return found


def _operation(endpoint: Endpoint, path: str, schemas: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in endpoint.query]
    writes = endpoint.method != "GET"
    if writes:
        parameters += [
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}},
            {"name": "If-Match", "in": "header", "schema": {"type": "string"}},
        ]
    answer = {"description": "done"}
    if endpoint.status != 204:
        answer |= {"content": {"application/json": {"schema": {"type": "object"}}}}  # type: ignore[dict-item]
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()}{path}").strip("_"),
        "parameters": parameters,
        "responses": {str(endpoint.status): answer, **_errors(WRITE_ERRORS if writes else READ_ERRORS)},
    }
    if endpoint.body is not None:
        schema = _schema(endpoint.body, schemas)
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _errors(table: dict[str, str]) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {code: {"description": words, "content": content} for code, words in table.items()}


def _schema(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, str]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, inner in schema.pop("$defs", {}).items():
        schemas.setdefault(name, inner)
    schemas.setdefault(model.__name__, schema)
    return {"$ref": f"#/components/schemas/{model.__name__}"}
