"""Requests that are carried out once for each idempotency key, however often they arrive.

They hold another command, or its type: its right is the one that they need.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from cnc_station.engine.commands import Command
from cnc_station.engine.queries import Query

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The key that a client chose for a request, and the hash of all that the request says. It
    counts for 24 hours, for each principal."""

    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class StoredReply:
    """What was answered to the first request of a key."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OnceAnswer(Generic[T]):
    """The answer to a command, and whether an earlier request had carried it out."""

    answer: T
    replayed: bool


@dataclass(frozen=True, slots=True)
class Once(Command[OnceAnswer[T]], Generic[T]):
    """Carry out a command that creates something, unless a request with this key has done so: then
    answer what that one created. What fails may be tried again.

    Raises InvalidInput if the key was used for another request, and Conflict while another request
    with this key is still running at this station.
    """

    command: Command[T]
    request: RequestKey


@dataclass(frozen=True, slots=True)
class FindReply(Query[StoredReply | None]):
    """The stored reply to a request with this key. Raises InvalidInput if the key was used for
    another request."""

    command: type[Command[Any]]
    request: RequestKey


@dataclass(frozen=True, slots=True)
class StoreReply(Command[None]):
    """Store the reply to the first request of a key; a stored one stays."""

    command: type[Command[Any]]
    request: RequestKey
    reply: StoredReply
