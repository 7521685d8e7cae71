"""One operation of the API as a frozen value, and what it is called with and answers."""

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cnc_station.engine.domain.permissions import NEEDED, Permission
from cnc_station.engine.door import Asks
from cnc_station.web.api.problems import Problem
from cnc_station.web.api.values import Taken, Told

IF_MATCH = re.compile(r'(W/)?"v(?P<version>[0-9]{1,18})"')
_TAG = re.compile(r'(?:W/)?("[^"]*")')
BINARY = "application/octet-stream"
TEXTS = ("text/", "application/json")  # how the types of texts begin
# Of what stands in paths.
PATTERNS: Mapping[str, str] = {
    "id": "[0-9]+",
    "sha256": "[0-9a-f]{64}",
    "jti": "[0-9a-f]{32}",
}


class NoQuery(Taken):
    """A route without a query."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose parts have been checked against their route. `path`: what stands in its path,
    `id` as a number; `body`: bytes of an upload; `if_match`: the version that the caller has seen;
    `trace_id`: the trace of what the request creates; `token`: that of its bearer."""

    door: Asks
    path: Mapping[str, Any]
    query: Any
    body: Any
    if_match: int | None = None
    trace_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a route answers: a model, or bytes with their type, whole or in parts. `secret`: it is
    never stored."""

    content: Told | bytes | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    secret: bool = False
    parts: AsyncIterator[bytes] | None = None

    @property
    def is_told(self) -> bool:
        """Whether it answers a model."""
        return self.content is not None and not isinstance(self.content, bytes)

    def body(self) -> bytes:
        """Return the bytes of the answer."""
        if self.content is None or isinstance(self.content, bytes):
            return self.content or b""
        return self.content.model_dump_json().encode()


@dataclass(frozen=True, slots=True)
class Route:
    """An operation. `asks` is the command or query of the door that it stands for: its permission
    is that of the route. `answers`: what is answered with each status, a model, one of several
    models, or the types of a download; None: nothing."""

    method: str
    path: str
    summary: str
    asks: type
    call: Callable[[Call], Awaitable[Reply]]
    answers: Mapping[int, type[Told] | tuple[type[Told], ...] | str | None]
    query: type[Taken] = NoQuery
    body: tuple[type[Taken], ...] = ()  # one of these; an empty body is as {} if all is optional
    uploads: bool = False  # takes the bytes of a file as its body
    forms: bool = False  # takes a file of a form as well
    conditional: bool = False  # takes If-Match
    deprecated: bool = False  # another name of a route
    creates: bool = False  # takes Idempotency-Key
    confidential: bool = False  # its body has a password
    counts: str = ""  # against which rate of its account: "create" or "run"
    refuses: tuple[int, ...] = ()  # the statuses of its problems, apart from those of all routes

    @property
    def name(self) -> str:
        """The operation's name for programs: `post_jobs_id_pause`."""
        words = self.path.replace("{", "").replace("}", "").strip("/").replace("-", "_")
        return f"{self.method.lower()}_{words.replace('/', '_')}"

    @property
    def tagged(self) -> bool:
        """Whether its answer has an ETag and takes If-None-Match: what is shown, not a download."""
        return self.method == "GET" and not isinstance(self.answers.get(200), str)

    @property
    def permission(self) -> Permission:
        return NEEDED[self.asks.__name__]


def etag(version: int) -> Mapping[str, str]:
    """The header that names the version of what is answered."""
    return {"ETag": f'"v{version}"'}


def content_tag(content: bytes) -> str:
    """Return the ETag of an answer that has no version: another content, another tag."""
    return f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


def is_seen(if_none_match: str, tag: str) -> bool:
    """Whether the client has this answer already, by the tags that it names."""
    return if_none_match.strip() == "*" or _TAG.findall(tag)[0] in _TAG.findall(if_none_match)


def check_version(call: Call, version: int) -> None:
    """Raise a problem if the caller has seen another version than the present one."""
    if call.if_match is not None and call.if_match != version:
        raise Problem(412, f"Somebody has changed it meanwhile: it is version {version} now.")
