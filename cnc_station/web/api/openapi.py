"""`openapi.json`, made from the table of routes (OpenAPI 3.1)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from cnc_station.web.api.idempotency import HEADER, KEY_PATTERN, REPLAYED
from cnc_station.web.api.multipart import FIELD, FORM
from cnc_station.web.api.problems import CONTENT_TYPE, NAMES
from cnc_station.web.api.route import BINARY, PATTERNS, TEXTS, NoQuery, Route
from cnc_station.web.api.values import Taken, Told

_REF = "#/components/schemas/{model}"
_FILE: Mapping[str, Any] = {"type": "string", "format": "binary"}  # as generators of clients ask
_UPLOAD: Mapping[str, Any] = {BINARY: {"schema": _FILE}}
_FORM: Mapping[str, Any] = {
    FORM: {"schema": {"type": "object", "required": [FIELD], "properties": {FIELD: _FILE}}}
}
_PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "trace_id", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "trace_id": {"type": "string"},
        "retry_after": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}

_SECURITY: Mapping[str, Any] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Needed where the shop uses accounts: see /auth/login.",
    }
}


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """Return the description of the whole API."""
    routes = tuple(routes)
    schemas = {**_schemas(routes), "Problem": _PROBLEM}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route)
        for status, links in _links(route, routes):
            operation["responses"][status]["links"] = links
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CNC Station",
            "version": version,
            "description": (
                "Jobs, runs, machines and stations of the whole fleet, from any of its stations. "
                "Not offered on purpose: to start, clear, unlock, hold or finish at a real "
                "machine. That needs a person who stands in front of it."
            ),
        },
        "servers": [
            {"url": "/api/v1"},
            {"url": "/api", "description": "Deprecated: for programs of other systems."},
        ],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SECURITY},
    }


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    taken = {model for route in routes for model in route.body}
    told = {
        model for route in routes for answer in route.answers.values() for model in _models(answer)
    }
    wanted: list[Any] = [(model, "validation") for model in taken]
    wanted += [(model, "serialization") for model in told]
    wanted += [(route.query, "validation") for route in routes if route.query is not NoQuery]
    _, found = models_json_schema(wanted, ref_template=_REF)
    return dict(found["$defs"])


def _operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.path.split("/")[1]],
        "parameters": [*_parameters(route)],
        "responses": _responses(route),
    }
    if route.deprecated:
        found["deprecated"] = True
    if doc := route.call.__doc__:
        found["description"] = doc
    if route.body:
        found["requestBody"] = {
            "required": not _is_optional(route.body),
            "content": {"application/json": {"schema": _one_of(route.body)}},
        }
    if route.uploads:
        found["requestBody"] = {
            "required": True,
            "content": {**_UPLOAD, **(_FORM if route.forms else {})},
        }
    return found


def _links(route: Route, routes: Iterable[Route]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What can be done with what this route has made, and with the first thing of its list."""
    for status, answer in route.answers.items():
        told = route.path.strip("/").replace("-", "_")
        listed = any(told in model.model_fields for model in _models(answer))
        place = f"/{told}/0" if status == 200 and listed else "" if status == 201 else None
        links = {}
        for other in routes:
            begin, brace, rest = other.path.partition("/{")
            if brace and begin == route.path:
                name = rest.partition("}")[0]
                parameters = {name: f"$response.body#{place}/{name}"}
                links[other.name] = {"operationId": other.name, "parameters": parameters}
        if links and place is not None:
            yield str(status), links


def _is_optional(models: Iterable[type[Taken]]) -> bool:
    return not any(field.is_required() for model in models for field in model.model_fields.values())


def _models(answer: type[Told] | tuple[type[Told], ...] | str | None) -> tuple[type[Told], ...]:
    """The models of an answer: none of a download or of nothing."""
    if isinstance(answer, tuple):
        return answer
    return () if answer is None or isinstance(answer, str) else (answer,)


def _one_of(models: Sequence[type[Taken] | type[Told]]) -> dict[str, Any]:
    refs = [{"$ref": _REF.format(model=model.__name__)} for model in models]
    return refs[0] if len(refs) == 1 else {"anyOf": refs}


def _parameters(route: Route) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route.path):
        schema: dict[str, Any] = {"type": "string", "pattern": f"^{PATTERNS[name]}$"}
        if name == "id":
            schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if route.query is not NoQuery:
        fields: dict[str, Any] = route.query.model_json_schema(ref_template=_REF)
        for name, one in fields["properties"].items():
            wanted = name in fields.get("required", ())
            yield {"name": name, "in": "query", "required": wanted, "schema": _without_null(one)}
    if route.conditional:
        schema = {"type": "string", "pattern": '^([*]|(W/)?"v[0-9]{1,18}")$'}
        yield {"name": "If-Match", "in": "header", "schema": schema}
    if route.tagged:
        words = "The ETag of an answer that you have: 304 if it still is the answer."
        yield {
            "name": "If-None-Match",
            "in": "header",
            "description": words,
            "schema": {"type": "string"},
        }
    if route.creates:
        schema = {"type": "string", "pattern": KEY_PATTERN}
        words = "A key of your choice: the same request with the same key creates nothing again."
        yield {"name": HEADER, "in": "header", "description": words, "schema": schema}


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter is given or not: it can't be null."""
    found = {name: part for name, part in schema.items() if name not in {"title", "default"}}
    if "anyOf" in found:
        kinds = [kind for kind in found["anyOf"] if kind != {"type": "null"}]
        del found["anyOf"]
        found |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return found


def _responses(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, answer in route.answers.items():
        found[str(status)] = {"description": route.summary}
        if isinstance(answer, str):
            kinds = answer.split(", ")
            found[str(status)]["content"] = {
                kind: {} if kind.startswith(TEXTS) else {"schema": _FILE} for kind in kinds
            }
        elif models := _models(answer):
            found[str(status)]["content"] = {"application/json": {"schema": _one_of(models)}}
    if route.creates:
        replayed = {"description": "An earlier request has done it", "schema": {"type": "string"}}
        for told in found.values():
            told["headers"] = {REPLAYED: replayed}
    if route.tagged:
        tag = {"schema": {"type": "string"}}
        found["200"]["headers"] = {"ETag": tag}
        found["304"] = {"description": "It is as you have it", "headers": {"ETag": tag}}
    for status in sorted(_refusals(route)):
        schema = {"$ref": _REF.format(model="Problem")}
        found[str(status)] = {
            "description": NAMES[status],
            "content": {CONTENT_TYPE: {"schema": schema}},
        }
    return found


def _refusals(route: Route) -> set[int]:
    """The statuses of its problems."""
    found = {401, 422, 503, 403, *route.refuses}
    if route.creates:
        found |= {409}
    if route.counts:
        found |= {429}
    if route.conditional:
        found |= {400}
    if route.uploads or route.body:
        found |= {400, 408, 413, 415}
    return found
