"""Accounts: their changes, attempts to sign on, and whether a shop uses accounts at all."""

import json
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.accounts import Account, Proof, login_key, pause_s, station_pause_s
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput, Locked
from cnc_station.engine.domain.principal import Role
from cnc_station.engine.store.account_tables import account, failed_sign_on, tenant, token
from cnc_station.engine.store.before_after import before_after
from cnc_station.engine.store.schema import setting
from cnc_station.engine.store.transaction import OneByOne, Tx

SWITCH, PIN_KEY = "accounts", "accounts.pin_key"  # settings that only this file writes
_FORGOTTEN_MS = 86_400_000
_COUNT = text(
    "INSERT INTO failed_sign_on (scope, failures, last_at) VALUES (:scope, 1, :now) "
    "ON CONFLICT (scope) DO UPDATE SET failures = failed_sign_on.failures + 1, last_at = :now"
)


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account with the hashes of its secrets."""

    id: int
    version: int
    account: Account
    hashes: Mapping[Proof, str] = field(repr=False)
    created_at: int = 0
    signed_on_at: int | None = None


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts, and whether the shop uses them. `pin_key` names the key of PINs and badges;
    `tenant_limits` are the limits of tenants that have their own, as text."""

    on: bool = False
    by_id: Mapping[int, StoredAccount] = field(default_factory=dict)
    pin_key: str = ""
    tenant_limits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_accounts(connection: Connection) -> Accounts:
    """Return every account that is not removed."""
    keys = (SWITCH, PIN_KEY)
    query = select(setting.c.key, setting.c.value).where(setting.c.key.in_(keys))
    found = {row.key: row.value for row in connection.execute(query)}
    rows = connection.execute(select(account).where(~account.c.removed).order_by(account.c.id))
    return Accounts(
        on=json.loads(found.get(SWITCH, "false")) is True,
        by_id={row.id: _stored(row) for row in rows},
        pin_key=str(json.loads(found.get(PIN_KEY, '""'))),
        tenant_limits={
            row.name: json.loads(row.limits)
            for row in connection.execute(select(tenant.c.name, tenant.c.limits))
        },
    )


def _stored(row: Row[Any]) -> StoredAccount:
    tenants = None if row.tenants is None else tuple(json.loads(row.tenants))
    hashes = {proof: getattr(row, proof) for proof in Proof if getattr(row, proof) is not None}
    return StoredAccount(
        row.id,
        row.version,
        Account(row.name, Role(row.role), row.email, tenants, bool(row.enabled), row.language),
        hashes,
        row.created_at,
        row.signed_on_at,
    )


class AccountCommand(OneByOne[Any]):
    """A change of accounts; their order is kept."""

    __slots__ = ()

    @property
    def touches(self) -> Sequence[Hashable]:
        return ("accounts",)


@dataclass(frozen=True, slots=True)
class CreateAccount(AccountCommand):
    """Store a validated account; the answer is its id. `turn_on`: from now on the shop uses
    accounts. `pin_key` is stored with the first PIN. Raises InvalidInput for a name in use."""

    account: Account
    hashes: Mapping[Proof, str] = field(repr=False)
    actor: str
    turn_on: bool = False
    pin_key: str = ""

    def write(self, tx: Tx) -> int:
        _lock(tx)
        _refuse_taken(tx, self.account, self.hashes, except_for=None)
        if self.turn_on:
            _save(tx, SWITCH, value=True)
        if self.pin_key:
            _save(tx, PIN_KEY, self.pin_key)
        (account_id,) = tx.dialect.reserve(tx.connection, account, 1)
        tx.connection.execute(
            insert(account).values(
                id=account_id,
                version=1,
                created_at=tx.now,
                changed_at=tx.now,
                removed=False,
                **_columns(self.account),
                **{str(proof): value for proof, value in self.hashes.items()},
            )
        )
        _record(tx, self.actor, f"{self.account.name} added", after=_told(self.account))
        return account_id


@dataclass(frozen=True, slots=True)
class EditAccount(AccountCommand):
    """Replace an account by a validated one; with `version`, only if nobody changed it since.
    Raises Conflict, also for the last administrator who could sign on; InvalidInput."""

    account_id: int
    account: Account
    actor: str
    version: int | None = None

    def write(self, tx: Tx) -> None:
        before = _found(tx, self.account_id)
        if self.version not in {None, before.version}:
            raise Conflict("The account was changed by somebody else meanwhile. Open it again.")
        _refuse_taken(tx, self.account, {}, except_for=self.account_id)
        stays = self.account.enabled and self.account.role is Role.ADMINISTRATOR
        if not stays:
            _keep_an_administrator(tx, self.account_id)
        _change(tx, self.account_id, **_columns(self.account))
        if not self.account.enabled:
            _revoke_tokens(tx, self.account_id)
        changed, told = _told(before.account), _told(self.account)
        _record(tx, self.actor, f"{self.account.name} changed", before=changed, after=told)


@dataclass(frozen=True, slots=True)
class SetSecret(AccountCommand):
    """Replace a secret of an account, or take it away (None). What was signed on with the former
    one ends. Raises Conflict, InvalidInput for a badge in use."""

    account_id: int
    proof: Proof
    hash: str | None = field(repr=False)
    actor: str
    pin_key: str = ""
    why: str = ""

    def write(self, tx: Tx) -> None:
        found = _found(tx, self.account_id)
        if self.hash is None:
            if set(found.hashes) <= {self.proof}:
                raise Conflict(f"{found.account.name} could not sign on any more.")
        else:
            _refuse_taken(tx, found.account, {self.proof: self.hash}, except_for=self.account_id)
        if self.pin_key:
            _save(tx, PIN_KEY, self.pin_key)
        _change(tx, self.account_id, **{str(self.proof): self.hash})
        _revoke_tokens(tx, self.account_id)
        word = "removed" if self.hash is None else "set"
        reason = f"{self.proof} of {found.account.name} {word}"
        _record(tx, self.actor, f"{reason}: {self.why}" if self.why else reason)


@dataclass(frozen=True, slots=True)
class RemoveAccount(AccountCommand):
    """Its jobs and events stay. Raises Conflict for the last administrator."""

    account_id: int
    actor: str

    def write(self, tx: Tx) -> None:
        found = _found(tx, self.account_id)
        _keep_an_administrator(tx, self.account_id)
        gone = dict.fromkeys(map(str, Proof))
        _change(tx, self.account_id, removed=True, enabled=False, **gone)
        _revoke_tokens(tx, self.account_id)
        _record(tx, self.actor, f"{found.account.name} removed", before=_told(found.account))


@dataclass(frozen=True, slots=True)
class SwitchAccounts(AccountCommand):
    """Whether the shop uses accounts. Off, they stay stored. Raises Conflict if nobody could
    administer."""

    on: bool
    actor: str

    def write(self, tx: Tx) -> None:
        _lock(tx)
        if self.on:
            _keep_an_administrator(tx, None)
        _save(tx, SWITCH, value=self.on)
        _record(tx, self.actor, "accounts turned on" if self.on else "accounts turned off")


@dataclass(frozen=True, slots=True)
class CountAttempt(OneByOne[None]):
    """Count an attempt as failed before it is looked at: those that come at once, at any stations,
    cannot be more than those that are free. A badge names nobody: it counts for the station alone
    (`own_scope` None). Raises Locked while one of the scopes has to wait."""

    own_scope: str | None
    station_scope: str

    def write(self, tx: Tx) -> None:
        tx.flush()
        tx.dialect.lock_table(tx.connection, failed_sign_on)
        rules = {self.station_scope: station_pause_s}
        if self.own_scope is not None:
            rules[self.own_scope] = pause_s
        query = select(failed_sign_on).where(failed_sign_on.c.scope.in_(sorted(rules)))
        waits = [
            (row.last_at - tx.now) / 1000 + rules[row.scope](row.failures)
            for row in tx.connection.execute(query)
        ]
        if (left := max(waits, default=0.0)) > 0:
            raise Locked(f"Too many wrong attempts: try again in {math.ceil(left)} s.", left)
        expired = failed_sign_on.c.last_at < tx.now - _FORGOTTEN_MS
        tx.connection.execute(delete(failed_sign_on).where(expired))
        for scope in sorted(rules):
            tx.connection.execute(_COUNT, {"scope": scope, "now": tx.now})


@dataclass(frozen=True, slots=True)
class SignedOn(AccountCommand):
    """An attempt was right: its scope begins anew; the station's goes back by what it counted."""

    account_id: int
    own_scope: str | None
    station_scope: str
    actor: str

    def write(self, tx: Tx) -> None:
        if self.own_scope is not None:
            own = failed_sign_on.c.scope == self.own_scope
            tx.connection.execute(delete(failed_sign_on).where(own))
        tx.connection.execute(
            update(failed_sign_on)
            .where(failed_sign_on.c.scope == self.station_scope, failed_sign_on.c.failures > 0)
            .values(failures=failed_sign_on.c.failures - 1)
        )
        tx.connection.execute(
            update(account).where(account.c.id == self.account_id).values(signed_on_at=tx.now)
        )
        tx.record(t.SIGNED_ON, actor=self.actor)


@dataclass(frozen=True, slots=True)
class RecordSignOn(OneByOne[None]):
    """Record that somebody signed off, or could not sign on."""

    transition: t.Transition
    actor: str
    reason: str = ""

    def write(self, tx: Tx) -> None:
        tx.record(self.transition, actor=self.actor, reason=self.reason)


def _lock(tx: Tx) -> None:
    """Stations that change accounts at once wait for each other."""
    tx.flush()
    tx.dialect.lock_table(tx.connection, account)


def _found(tx: Tx, account_id: int) -> StoredAccount:
    _lock(tx)
    query = select(account).where(account.c.id == account_id, ~account.c.removed)
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        raise Conflict(f"There is no account {account_id}.")
    return _stored(row)


def _keep_an_administrator(tx: Tx, account_id: int | None) -> None:
    """Raises Conflict if no other administrator could sign on."""
    others = (
        select(func.count())
        .select_from(account)
        .where(~account.c.removed, account.c.enabled, account.c.role == Role.ADMINISTRATOR.value)
    )
    if account_id is not None:
        others = others.where(account.c.id != account_id)
    if not tx.connection.execute(others).scalar_one():
        raise Conflict("This is the last administrator: make another one first.")


def _refuse_taken(
    tx: Tx, spec: Account, hashes: Mapping[Proof, str], *, except_for: int | None
) -> None:
    others = ~account.c.removed if except_for is None else (account.c.id != except_for)
    keys = {login_key(spec.name)} | ({login_key(spec.email)} if spec.email else set())
    taken = account.c.name_key.in_(keys) | (account.c.email_key.in_(keys))
    query = select(account.c.name_key).where(others, ~account.c.removed, taken)
    for name_key in tx.connection.execute(query).scalars():
        field_name = "name" if name_key == login_key(spec.name) else "email"
        raise InvalidInput(FieldError(field_name, "is that of another account"))
    if (badge := hashes.get(Proof.BADGE)) is not None:
        same = select(account.c.id).where(others, account.c.badge == badge)
        if tx.connection.execute(same).first() is not None:
            raise InvalidInput(FieldError("badge", "is that of another account"))


def _columns(spec: Account) -> dict[str, Any]:
    return {
        "name": spec.name,
        "name_key": login_key(spec.name),
        "email": spec.email,
        "email_key": login_key(spec.email),
        "role": spec.role.value,
        "tenants": None if spec.tenants is None else json.dumps(spec.tenants),
        "enabled": spec.enabled,
        "language": spec.language,
    }


def _told(spec: Account) -> dict[str, Any]:
    tenants = None if spec.tenants is None else list(spec.tenants)
    told = {"name": spec.name, "role": spec.role.value, "email": spec.email, "tenants": tenants}
    return told | {"enabled": spec.enabled, "language": spec.language}


def _change(tx: Tx, account_id: int, **values: Any) -> None:
    version = account.c.version + 1
    tx.connection.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(version=version, changed_at=tx.now, **values)
    )


def _revoke_tokens(tx: Tx, account_id: int) -> None:
    mine = (token.c.account_id == account_id) & token.c.revoked_at.is_(None)
    tx.connection.execute(update(token).where(mine).values(revoked_at=tx.now))


def _save(tx: Tx, key: str, value: object) -> None:
    stored = json.dumps(value)
    there = update(setting).where(setting.c.key == key).values(value=stored)
    if not tx.connection.execute(there).rowcount:
        tx.connection.execute(insert(setting).values(key=key, value=stored))


def _record(
    tx: Tx,
    actor: str,
    reason: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    details = before_after(before, after) or None
    tx.record(t.ACCOUNTS_CHANGED, actor=actor, reason=reason, details=details)
