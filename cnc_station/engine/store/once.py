"""Commands that are written once for each idempotency key, in one transaction with its row."""

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, LargeBinary, Row, bindparam, delete, select, text, tuple_, update

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.once import RequestKey, StoredReply
from cnc_station.engine.store.prepared import TransactionPreload
from cnc_station.engine.store.schema import idempotency_key
from cnc_station.engine.store.transaction import OneByOne, StoreCommand, Tx

T = TypeVar("T")
KEPT_MS = 86_400_000
HEADER = "Idempotency-Key"
_DELETED_AT_ONCE = 20

# Whoever inserts the row first carries out the command. Another station waits here for the end of
# that transaction. A row that has expired counts as none.
_CLAIM = text(
    "INSERT INTO idempotency_key (principal, request_key, request_hash, at) "
    "VALUES (:principal, :request_key, :request_hash, :now) "
    "ON CONFLICT (principal, request_key) DO UPDATE SET request_hash = excluded.request_hash, "
    "at = excluded.at, result = NULL, status = NULL, headers = NULL, body = NULL "
    "WHERE idempotency_key.at <= :expired RETURNING at"
)
_own_row = (idempotency_key.c.principal == bindparam("own_principal")) & (
    idempotency_key.c.request_key == bindparam("own_key")
)
_FIND = select(idempotency_key).where(_own_row)
_SET_RESULT = update(idempotency_key).where(_own_row).values(result=bindparam("new_result"))
_DELETE = delete(idempotency_key).where(_own_row)
_SET_REPLY = (
    update(idempotency_key)
    .where(_own_row, idempotency_key.c.request_hash == bindparam("own_hash"))
    .where(idempotency_key.c.status.is_(None))
    .values(
        status=bindparam("new_status"),
        headers=bindparam("new_headers"),
        body=bindparam("new_body", type_=LargeBinary),
    )
)


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """The result of a command, and whether it was written by an earlier request."""

    result: T
    replayed: bool


@dataclass(frozen=True, slots=True)
class OnceOnly(StoreCommand[Written[T]]):
    """Write `command`, unless this principal has used the key: then return the result of that time.
    The results of commands that are wrapped here consist of numbers, texts and tuples.

    Raises what the command raises, and then leaves no row; InvalidInput if the key was used for
    another request.
    """

    command: StoreCommand[T]
    principal: str
    request: RequestKey

    @property
    def group(self) -> Hashable:
        return ("once", self.command.group)

    @property
    def touches(self) -> Sequence[Hashable] | None:
        own = ("idempotency key", self.principal, self.request.key)
        touches = self.command.touches
        return None if touches is None else (*touches, own)

    @classmethod
    def preload(cls, station: str, commands: Sequence["OnceOnly[Any]"]) -> TransactionPreload:
        inner = [one.command for one in commands]
        return type(inner[0]).preload(station, inner)

    @classmethod
    def apply(cls, tx: Tx, commands: Sequence["OnceOnly[T]"]) -> list[Written[T] | Exception]:
        return [_write(tx, one) for one in commands]


def _write(tx: Tx, one: OnceOnly[T]) -> Written[T] | Exception:
    own = _row(one.principal, one.request)
    claim = {
        "principal": one.principal,
        "request_key": one.request.key,
        "request_hash": one.request.request_hash,
        "now": tx.now,
        "expired": tx.now - KEPT_MS,
    }
    if not tx.connection.execute(_CLAIM, claim).all():
        return _replay(one, tx.connection.execute(_FIND, own).one())
    tx.flush()  # the command may count on what the one before it wrote
    (result,) = type(one.command).apply(tx, [one.command])
    if isinstance(result, Exception):
        tx.connection.execute(_DELETE, own)
        return result
    tx.connection.execute(_SET_RESULT, {**own, "new_result": json.dumps(result)})
    return Written(result, replayed=False)


def _replay(one: OnceOnly[T], row: Row[Any]) -> Written[T] | Exception:
    if row.request_hash != one.request.request_hash:
        return _used_otherwise()
    result: T = _tuples(json.loads(row.result))
    return Written(result, replayed=True)


@dataclass(frozen=True, slots=True)
class StoreReply(OneByOne[None]):
    """Store the reply to the first request of a key, and delete some expired keys: each new key
    makes room for itself."""

    principal: str
    request: RequestKey
    reply: StoredReply

    @property
    def touches(self) -> Sequence[Hashable]:
        return (("idempotency key", self.principal, self.request.key),)

    def write(self, tx: Tx) -> None:
        values = {
            **_row(self.principal, self.request),
            "own_hash": self.request.request_hash,
            "new_status": self.reply.status,
            "new_headers": json.dumps(dict(self.reply.headers)),
            "new_body": self.reply.body,
        }
        tx.connection.execute(_SET_REPLY, values)
        _delete_expired(tx, _DELETED_AT_ONCE)


@dataclass(frozen=True, slots=True)
class DeleteExpiredKeys(OneByOne[int]):
    """Delete at most `most` keys that have expired, the oldest first. Returns their number."""

    most: int

    def write(self, tx: Tx) -> int:
        return _delete_expired(tx, self.most)


def _delete_expired(tx: Tx, most: int) -> int:
    columns = (idempotency_key.c.principal, idempotency_key.c.request_key)
    query = (
        select(*columns)
        .where(idempotency_key.c.at <= tx.now - KEPT_MS)
        .order_by(idempotency_key.c.at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    found = [tuple(row) for row in tx.connection.execute(query)]
    if found:
        tx.connection.execute(delete(idempotency_key).where(tuple_(*columns).in_(found)))
    return len(found)


def stored_reply(
    connection: Connection, now: int, principal: str, request: RequestKey
) -> StoredReply | None:
    """Return the reply to the first request of a key, if there is one. Raises InvalidInput."""
    row = connection.execute(_FIND, _row(principal, request)).one_or_none()
    if row is None or row.at <= now - KEPT_MS:
        return None
    if row.request_hash != request.request_hash:
        raise _used_otherwise()
    if row.status is None:
        return None
    return StoredReply(row.status, json.loads(row.headers), row.body)


def _row(principal: str, request: RequestKey) -> dict[str, Any]:
    return {"own_principal": principal, "own_key": request.key}


def _used_otherwise() -> InvalidInput:
    return InvalidInput(FieldError(HEADER, "was used for another request: choose a new key"))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
