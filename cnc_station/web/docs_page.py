"""The page that shows the API to people, made of its description. It loads nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from cnc_station.web.api.problems import NAMES
from cnc_station.web.page import Page, assemble

_REF = "#/components/schemas/"
_LIMITS = (
    ("minimum", "from {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "to {}"),
    ("exclusiveMaximum", "less than {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {}"),
    ("maxItems", "at most {}"),
)


def render(described: Mapping[str, Any]) -> Page:
    """Return the page for a description in OpenAPI."""
    groups: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append((method, path, operation))
    schemas = described["components"]["schemas"]
    return assemble(
        "docs",
        version=escape(described["info"]["version"]),
        description=escape(described["info"]["description"].partition(" Not offered")[0]),
        navigation="".join(_links(tag, found) for tag, found in groups.items()),
        operations="".join(_group(tag, found) for tag, found in groups.items()),
        schemas="".join(_schema(name, schemas[name]) for name in sorted(schemas)),
        problems=_table(
            ("Status", "Type"), ((str(code), f"/problems/{name}") for code, name in NAMES.items())
        ),
    )


def _links(tag: str, found: Iterable[tuple[str, str, Mapping[str, Any]]]) -> str:
    links = (
        f'<a href="#{operation["operationId"]}">{escape(operation["summary"])}</a>'
        for _, _, operation in found
    )
    return f"<section><h2>{escape(tag)}</h2>{''.join(links)}</section>"


def _group(tag: str, found: Iterable[tuple[str, str, Mapping[str, Any]]]) -> str:
    return f"<section><h2>{escape(tag)}</h2>{''.join(_operation(*one) for one in found)}</section>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    inside = "".join(_parts(method, path, operation))
    parameters = operation.get("parameters", ())
    words = " ".join(
        (method, path, operation["summary"], *(one["name"] for one in parameters))
    ).lower()
    return (
        f'<details class="operation" id="{operation["operationId"]}" data-words="{escape(words)}">'
        f'<summary><span class="method {method}">{method.upper()}</span>'
        f'<span class="path">/api/v1{escape(path)}</span>'
        f'<span class="what">{escape(operation["summary"])}</span></summary>'
        f'<div class="inside">{inside}</div></details>'
    )


def _parts(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    if "description" in operation:
        yield f"<p>{escape(operation['description'])}</p>"
    yield f"<pre>{escape(_line(method, path, operation))}</pre>"
    if parameters := operation.get("parameters"):
        rows = (
            (_name(one["name"], needed=one.get("required", False)), one["in"], _kind(one["schema"]))
            for one in parameters
        )
        yield "<h3>Parameters</h3>" + _raw_table(("Name", "In", "Value"), rows)
    if body := operation.get("requestBody"):
        yield "<h3>Body</h3>" + _contents(body["content"])
    rows = (
        (status, escape(one["description"]), _contents(one.get("content", {})))
        for status, one in operation["responses"].items()
    )
    yield "<h3>Answers</h3>" + _raw_table(("Status", "What", "Body"), rows)


def _line(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """A line for a shell, with the address of the guide."""
    given = "" if method == "get" else f" -X {method.upper()}"
    kinds = operation.get("requestBody", {}).get("content", {})
    body = " --json '{…}'" if "application/json" in kinds else ""
    if "application/octet-stream" in kinds:
        body = " -H 'Content-Type: application/octet-stream' --data-binary @file"
    return f"curl -s{given} $API{path}{body}"


def _contents(contents: Mapping[str, Any]) -> str:
    found = (
        f"{_kind(one['schema'])} <code>{escape(kind)}</code>"
        if "schema" in one
        else f"<code>{escape(kind)}</code>"
        for kind, one in contents.items()
    )
    return "<br>".join(found) or "nothing"


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    needed = schema.get("required", ())
    fields = schema.get("properties", {})
    rows = (
        (
            _name(field, needed=field in needed, old=one.get("deprecated", False)),
            _kind(one),
            escape(one.get("description", "")),
        )
        for field, one in fields.items()
    )
    inside = _raw_table(("Field", "Value", "What"), rows) if fields else f"<p>{_kind(schema)}</p>"
    about = schema.get("description", "").replace("\n", " ")
    words = " ".join((name, about, *fields)).lower()
    return (
        f'<details id="schema-{name}" data-words="{escape(words)}">'
        f'<summary><span class="path">{name}</span><span class="what">{escape(about)}</span>'
        f'</summary><div class="inside">{inside}</div></details>'
    )


def _name(name: str, *, needed: bool = False, old: bool = False) -> str:
    marks = ' <span class="needed">required</span>' if needed else ""
    marks += ' <span class="old">another name</span>' if old else ""
    return f"<code>{escape(name)}</code>{marks}"


def _kind(schema: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REF)
        return f'<a href="#schema-{name}">{name}</a>'
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(_kind(one) for one in several))
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    kind = schema.get("type", "any value")
    if kind == "array":
        found = f"list of {_kind(schema.get('items', {}))}"
    else:
        found = escape(schema.get("format", kind) if kind == "string" else str(kind))
    limits = [words.format(schema[name]) for name, words in _LIMITS if name in schema]
    if schema.get("default") not in (None, "", [], {}):
        limits.append(f"default {schema['default']}")
    return found + (f" ({escape(', '.join(limits))})" if limits else "")


def _table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    return _raw_table(names, ([escape(cell) for cell in row] for row in rows))


def _raw_table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{table}</div>'
