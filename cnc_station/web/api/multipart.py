"""A file that a form uploads (`multipart/form-data`, RFC 7578)."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.web.api.problems import Problem
from cnc_station.web.api.route import Call

FORM = "multipart/form-data"
FIELD = "file"
_MOST_PARTS = 20
_MOST_HEADER = 8 * 1024  # bytes of the headers of a part


@dataclass(frozen=True, slots=True)
class Upload:
    """The content of a file, and its name if the form tells one."""

    name: str
    content: bytes


async def uploaded(call: Call) -> Upload:
    """Return the file that a call uploads: its body, or that of a form. `name` of its query counts
    more than the name that a form tells. Raises Problem, InvalidInput without a name."""
    content_type = call.headers.get("Content-Type", "")
    found = Upload("", call.body)
    if _is_form(content_type):
        found = await asyncio.to_thread(read_upload, content_type, call.body)
    if not (name := call.query.name or found.name):
        raise InvalidInput(FieldError("name", "is missing"))
    return Upload(name, found.content)


def _is_form(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == FORM


def read_upload(content_type: str, body: bytes) -> Upload:
    """Return the file of a form. Raises Problem for a body that is not a form, InvalidInput unless
    exactly one file is in its field `file`."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not 0 < len(boundary) <= 70 or not boundary.isascii():
        raise _malformed("its header does not name a valid boundary")
    files = [
        Upload(name, content)
        for field, name, content in _parts(body, b"\r\n--" + boundary.encode())
        if field == FIELD
    ]
    if len(files) != 1:
        raise InvalidInput(FieldError(FIELD, "must be one file" if files else "is missing"))
    return files[0]


def _parts(body: bytes, delimiter: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield the name of each field, the name of its file, "" for none, and its content."""
    at = 0 if body.startswith(delimiter[2:]) else body.find(delimiter) + 2
    if at == 1:
        raise _malformed("its boundary does not occur")
    at += len(delimiter) - 2
    for _ in range(_MOST_PARTS):
        if body[at : at + 2] == b"--":
            return
        begin = body.find(b"\r\n\r\n", at, at + _MOST_HEADER)
        end = body.find(delimiter, begin + 2)
        if begin < 0 or end < 0:
            raise _malformed("a part of it is not complete")
        header = HeaderParser().parsestr(body[at:begin].decode("utf-8", "replace").lstrip())
        field = header.get_param("name", "", "content-disposition")
        yield str(field), header.get_filename(""), body[begin + 4 : end]
        at = end + len(delimiter)
    raise _malformed(f"it has more than {_MOST_PARTS} parts")


def _malformed(why: str) -> Problem:
    return Problem(400, f"The body is not a form: {why}.")
