"""Issued tokens, and the keys that sign them in a fleet."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.tokens import SigningKey
from cnc_station.engine.store.account_tables import account, signing_key, token
from cnc_station.engine.store.accounts import AccountCommand
from cnc_station.engine.store.transaction import Tx
from cnc_station.engine.views.tokens import TokenRow


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens that are not revoked, by jti, and the keys of a fleet, newest first."""

    by_jti: Mapping[str, TokenRow] = field(default_factory=dict)
    keys: tuple[SigningKey, ...] = ()


def read_tokens(connection: Connection) -> Tokens:
    """Return every token that is not revoked, and the keys."""
    rows = connection.execute(
        select(token).where(token.c.revoked_at.is_(None)).order_by(token.c.issued_at, token.c.jti)
    )
    found = {
        row.jti: TokenRow(row.jti, row.account_id, row.label, row.issued_at, row.expires_at)
        for row in rows
    }
    newest = (signing_key.c.accepted_until.is_(None).desc(), signing_key.c.created_at.desc())
    keys = connection.execute(select(signing_key).order_by(*newest))
    return Tokens(found, tuple(SigningKey(key.secret, key.accepted_until) for key in keys))


@dataclass(frozen=True, slots=True)
class AddToken(AccountCommand):
    """Store a token that was issued, and forget those that have expired. Raises Conflict for an
    account that may not sign on."""

    row: TokenRow
    actor: str

    def write(self, tx: Tx) -> None:
        name = _name(tx, self.row.account_id)
        tx.connection.execute(delete(token).where(token.c.expires_at <= tx.now))
        row = self.row
        tx.connection.execute(
            insert(token).values(
                jti=row.jti,
                account_id=row.account_id,
                label=row.label,
                issued_at=row.issued_at,
                expires_at=row.expires_at,
            )
        )
        if row.label:
            reason = f"token {row.label} for {name} issued"
            tx.record(t.ACCOUNTS_CHANGED, actor=self.actor, reason=reason)


@dataclass(frozen=True, slots=True)
class RevokeToken(AccountCommand):
    """End a token. `signs_off`: its own person ends it. Raises Conflict if there is none."""

    jti: str
    actor: str
    signs_off: bool = False

    def write(self, tx: Tx) -> None:
        tx.flush()
        mine = (token.c.jti == self.jti) & token.c.revoked_at.is_(None)
        label = tx.connection.execute(select(token.c.label).where(mine)).scalar_one_or_none()
        if label is None:
            raise Conflict("There is no such token.")
        tx.connection.execute(update(token).where(mine).values(revoked_at=tx.now))
        if self.signs_off:
            tx.record(t.SIGNED_OFF, actor=self.actor)
        else:
            reason = f"token {label or self.jti} revoked"
            tx.record(t.ACCOUNTS_CHANGED, actor=self.actor, reason=reason)


@dataclass(frozen=True, slots=True)
class AddSigningKey(AccountCommand):
    """Store a new key of a fleet. `overlap_ms`: how long the former ones are accepted; None: it is
    the first one, and one that another station has just stored stays."""

    key: SigningKey
    actor: str
    overlap_ms: int | None = None

    def write(self, tx: Tx) -> None:
        tx.flush()
        tx.dialect.lock_table(tx.connection, signing_key)
        present = signing_key.c.accepted_until.is_(None)
        former = tx.connection.execute(select(signing_key.c.kid).where(present)).first()
        if self.overlap_ms is None and former is not None:
            return
        until = tx.now + (self.overlap_ms or 0)
        tx.connection.execute(update(signing_key).where(present).values(accepted_until=until))
        expired = signing_key.c.accepted_until <= tx.now
        tx.connection.execute(delete(signing_key).where(expired))
        new = {"kid": self.key.kid, "secret": self.key.secret, "created_at": tx.now}
        tx.connection.execute(insert(signing_key).values(new))
        tx.record(t.ACCOUNTS_CHANGED, actor=self.actor, reason="new key of tokens")


@dataclass(frozen=True, slots=True)
class RecordNewKey(AccountCommand):
    """Record that a station alone has a new key, which is stored apart from the database."""

    actor: str

    def write(self, tx: Tx) -> None:
        tx.record(t.ACCOUNTS_CHANGED, actor=self.actor, reason="new key of tokens")


def _name(tx: Tx, account_id: int) -> str:
    tx.flush()
    able = (account.c.id == account_id) & ~account.c.removed & account.c.enabled
    name = tx.connection.execute(select(account.c.name).where(able)).scalar_one_or_none()
    if name is None:
        raise Conflict("This account may not sign on.")
    return str(name)
