"""What clients send over the WebSocket, and how a connection ends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from http import HTTPStatus
from typing import Any, ClassVar, Literal

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.web.api.problems import NAMES, Problem
from cnc_station.web.api.values import TakenJson

MOST_MESSAGE = 16 * 1024  # bytes
MOST_SUBSCRIPTIONS = 50


class Topic(StrEnum):
    """What events are about."""

    JOBS = "jobs"
    MACHINES = "machines"
    STATIONS = "stations"


class Close(IntEnum):
    """Why the station ends a connection."""

    STOPS = 1001
    BAD_MESSAGE = 4400
    TOKEN = 4401
    FORBIDDEN = 4403
    SLOW = 4408


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ends: the last messages, and the code."""

    code: Close
    reason: str
    texts: tuple[str, ...] = ()


class Auth(TakenJson):
    """Who the client is, as its first message."""

    token: str


class Subscribe(TakenJson):
    """Follow the events of a tenant, or of all whom the client may see: from now on, or from the
    one behind `last_event_id`."""

    ALIASES: ClassVar = {"tenantId": "tenant", "lastEventId": "last_event_id"}

    tenant: str | None = None
    last_event_id: str | None = None
    topics: list[Literal["jobs", "machines", "stations"]] | None = None

    @property
    def chosen(self) -> frozenset[Topic]:
        return frozenset(Topic) if self.topics is None else frozenset(map(Topic, self.topics))


class Unsubscribe(TakenJson):
    """End the subscription of a tenant; without one, all of them."""

    ALIASES: ClassVar = {"tenantId": "tenant"}

    tenant: str | None = None


class Ping(TakenJson):
    """Ask for a PONG."""


_KINDS: Mapping[str, type[TakenJson]] = {
    "AUTH": Auth,
    "SUBSCRIBE": Subscribe,
    "UNSUBSCRIBE": Unsubscribe,
    "PING": Ping,
}


def read(text: str) -> TakenJson:
    """Return a client's message. Raises InvalidInput with what is wrong."""
    try:
        values = json_text.parse(text, MOST_MESSAGE)
    except ValueError as error:
        raise InvalidInput(FieldError("message", str(error))) from None
    kind = values.pop("type", None) if isinstance(values, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InvalidInput(FieldError("type", f"must be one of {', '.join(_KINDS)}"))
    return _KINDS[kind].read(values)


def bad_message(error: InvalidInput) -> Ending:
    """The end of a client whose messages can't be understood."""
    problem = Problem(400, str(error), error.errors)
    return Ending(Close.BAD_MESSAGE, "bad message", (error_text(problem),))


def error_text(problem: Problem) -> str:
    """A problem as a message."""
    content: dict[str, Any] = {
        "type": f"/problems/{NAMES[problem.status]}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "errors": [{"field": e.field, "reason": e.reason} for e in problem.errors],
    }
    return text_of("ERROR", problem=content)


def text_of(kind: str, **values: object) -> str:
    """A message of the station."""
    return json.dumps({"type": kind, **values}, ensure_ascii=False, separators=(",", ":"))
