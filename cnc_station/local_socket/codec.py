"""Commands, queries, answers and errors as lines of JSON.

A request is `{"JobById": {"job_id": 7}}`, its answer `{"answer": …}` or `{"error": {…}}`. The
content of a file follows the request in base64, behind a null character: it is decoded in pieces,
because JSON of 40 MB occupies the interpreter for too long.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError

from cnc_station.engine import commands, queries
from cnc_station.engine.domain import errors, json_text
from cnc_station.engine.domain.errors import CncStationError, FieldError, InvalidInput, Unavailable
from cnc_station.peers.limits import LOCAL_SOCKET, LONGEST_SENTENCE
from cnc_station.peers.probing import MALFORMED
from cnc_station.peers.values import text

ANSWER, ERROR = "answer", "error"
BUG = CncStationError.__name__  # the others have types of their own
_BESIDE = b"\x00"  # before the content of a file; JSON never contains one
_PIECE = 1 << 20  # of base64, a multiple of 4
_MOST_HEAD = 4 << 20  # bytes of a request without the content of a file
_NAME = re.compile(rb'\{"(\w{1,64})":')
_CONFIG = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
_BASES = (commands.Command, queries.Query, queries.LiveQuery)
KINDS: Mapping[str, type] = {
    name: kind
    for module in (commands, queries)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, _BASES) and kind not in _BASES
}
_FILES: Mapping[type, str] = {
    commands.AddProgram: "source",
    commands.AttachFile: "content",
    commands.ImportJobs: "content",
    queries.PreviewImport: "content",
}


@cache
def _adapter(kind: Any) -> TypeAdapter[dict[str, Any]]:
    return TypeAdapter(dict[str, kind], config=_CONFIG)


def _answer_type(kind: Any) -> Any:
    return next(base.__args__[0] for base in kind.__orig_bases__ if hasattr(base, "__args__"))


def dump_request(asked: object) -> bytes:
    """Return one line."""
    kind: Any = type(asked)
    name, content = _FILES.get(kind, ""), b""
    if name:
        content = _BESIDE + base64.b64encode(getattr(asked, name))
        asked = replace(cast(Any, asked), **{name: b""})
    return _adapter(kind).dump_json({kind.__name__: asked}) + content + b"\n"


def load_request(line: bytes) -> Any:
    """Return the command or query of a line. Raises InvalidInput."""
    end = line.find(_BESIDE)
    head = line if end < 0 else line[:end]
    found = _NAME.match(head)
    kind = KINDS.get(found[1].decode()) if found else None
    if kind is None:
        raise InvalidInput(FieldError("request", "is not a known command or query"))
    if len(head) > _MOST_HEAD or head.count(b"{") > LOCAL_SOCKET.items:
        raise InvalidInput(FieldError("request", "is larger than a request may be"))
    try:
        json_text.load(head)
        content = None if end < 0 else _unpacked(memoryview(line)[end + 1 :])
    except ValueError as error:
        raise InvalidInput(FieldError("request", str(error))) from error
    asked = _checked(kind, head)
    name = _FILES.get(kind, "")
    return replace(asked, **{name: content}) if name and content is not None else asked


def _unpacked(packed: memoryview) -> bytes:
    """Decode base64 in pieces: other threads run between them. Raises ValueError."""
    end = len(packed) - packed[-1:].tobytes().count(b"\n")
    begins = range(0, end, _PIECE)
    pieces = (packed[begin : min(begin + _PIECE, end)] for begin in begins)
    return b"".join(binascii.a2b_base64(piece, strict_mode=True) for piece in pieces)


def _checked(kind: Any, line: bytes) -> Any:
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
