"""Commands, queries, answers and errors as lines of JSON.

A request is `{"JobById": {"job_id": 7}}`, its answer `{"answer": …}` or `{"error": {…}}`.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from cnc_station.engine import commands, queries
from cnc_station.engine.domain import errors, json_text
from cnc_station.engine.domain.errors import CncStationError, FieldError, InvalidInput, Unavailable
from cnc_station.peers.limits import LONGEST_SENTENCE
from cnc_station.peers.probing import MALFORMED
from cnc_station.peers.values import text

ANSWER, ERROR = "answer", "error"
BUG = CncStationError.__name__  # the others have types of their own
_NAME = re.compile(rb'\{"(\w{1,64})":')
_CONFIG = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
_BASES = (commands.Command, queries.Query, queries.LiveQuery)
KINDS: Mapping[str, type] = {
    name: kind
    for module in (commands, queries)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, _BASES) and kind not in _BASES
}


@cache
def _adapter(kind: Any) -> TypeAdapter[dict[str, Any]]:
    return TypeAdapter(dict[str, kind], config=_CONFIG)


def _answer_type(kind: Any) -> Any:
    return kind.__orig_bases__[0].__args__[0]


def dump_request(asked: object) -> bytes:
    """Return one line."""
    kind: Any = type(asked)
    return _adapter(kind).dump_json({kind.__name__: asked}) + b"\n"


def load_request(line: bytes) -> Any:
    """Return the command or query of a line. Raises InvalidInput."""
    found = _NAME.match(line)
    kind = KINDS.get(found[1].decode()) if found else None
    if kind is None:
        raise InvalidInput(FieldError("request", "is not a known command or query"))
    try:
        json_text.load(line)
    except ValueError as error:
        raise InvalidInput(FieldError("request", str(error))) from error
    try:
        return _adapter(kind).validate_json(line)[kind.__name__]
    except ValidationError as error:
        raise InvalidInput(
            *(
                FieldError(".".join(map(str, item["loc"][1:])) or "request", item["msg"])
                for item in error.errors(include_input=False, include_url=False)
            )
        ) from error


def dump_answer(asked: object, answer: object) -> bytes:
    """Return one line."""
    return _adapter(_answer_type(type(asked))).dump_json({ANSWER: answer}) + b"\n"


def dump_error(error: CncStationError) -> bytes:
    """Return one line."""
    told: dict[str, Any] = {"kind": type(error).__name__, "message": str(error)}
    if isinstance(error, InvalidInput):
        told["fields"] = [[item.field, item.reason] for item in error.errors]
    if isinstance(error, Unavailable):
        told |= {"raw": error.raw, "transient": error.transient}
    return json.dumps({ERROR: told}).encode() + b"\n"


def load_answer(asked: object, line: bytes) -> Any:
    """Return the answer to `asked`. Raises the error that the station answered with; Unavailable
    for anything but an answer."""
    try:
        if not line.startswith(b'{"error"'):
            return _adapter(_answer_type(type(asked))).validate_json(line)[ANSWER]
        error = _error(json.loads(line)[ERROR])
    except MALFORMED as problem:
        raise Unavailable("The station's answer can't be read.", raw=repr(problem)) from problem
    raise error


def _error(told: Mapping[str, Any]) -> Exception:
    if fields := told.get("fields"):
        return InvalidInput(*(FieldError(field, reason) for field, reason in fields))
    if "raw" in told:
        words = text(told["message"], LONGEST_SENTENCE)
        return Unavailable(words, raw=told["raw"], transient=told["transient"])
    message = text(told["message"], LONGEST_SENTENCE)
    if told["kind"] == BUG:
        return RuntimeError(message)
    kind = getattr(errors, told["kind"], None)
    if not (isinstance(kind, type) and issubclass(kind, CncStationError)):
        kind = errors.Conflict
    return kind(message)
