"""The rows of tenants: their names, and limits of their own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.store.account_tables import tenant
from cnc_station.engine.store.accounts import AccountCommand
from cnc_station.engine.store.before_after import before_after
from cnc_station.engine.store.transaction import Tx
from cnc_station.engine.views.tokens import TenantRow


def read_tenants(connection: Connection) -> tuple[TenantRow, ...]:
    """Return every tenant that was entered, by name."""
    rows = connection.execute(select(tenant).order_by(tenant.c.name))
    return tuple(
        TenantRow(row.id, row.version, row.name, json.loads(row.limits), row.created_at)
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class CreateTenant(AccountCommand):
    """Store a tenant; the answer is its id. Raises InvalidInput for a name in use."""

    name: str
    limits: Mapping[str, str]
    actor: str

    def write(self, tx: Tx) -> int:
        _refuse_taken(tx, self.name)
        (tenant_id,) = tx.dialect.reserve(tx.connection, tenant, 1)
        limits = json.dumps(dict(self.limits))
        new = {"id": tenant_id, "version": 1, "name": self.name, "limits": limits}
        tx.connection.execute(insert(tenant).values(new | {"created_at": tx.now}))
        reason, details = f"customer {self.name} added", before_after(None, self.limits)
        tx.record(t.ACCOUNTS_CHANGED, actor=self.actor, reason=reason, details=details)
        return tenant_id


@dataclass(frozen=True, slots=True)
class EditTenant(AccountCommand):
    """Replace the limits of a tenant. Raises Conflict if there is none."""

    tenant_id: int
    limits: Mapping[str, str]
    actor: str

    def write(self, tx: Tx) -> None:
        tx.flush()
        mine = tenant.c.id == self.tenant_id
        row = tx.connection.execute(select(tenant).where(mine)).one_or_none()
        if row is None:
            raise Conflict(f"There is no customer {self.tenant_id}.")
        changed = {"limits": json.dumps(dict(self.limits)), "version": tenant.c.version + 1}
        tx.connection.execute(update(tenant).where(mine).values(changed))
        reason = f"limits of customer {row.name} changed"
        details = before_after(json.loads(row.limits), self.limits)
        tx.record(t.ACCOUNTS_CHANGED, actor=self.actor, reason=reason, details=details)


def _refuse_taken(tx: Tx, name: str) -> None:
    tx.flush()
    tx.dialect.lock_table(tx.connection, tenant)
    taken = select(tenant.c.id).where(tenant.c.name == name)
    if tx.connection.execute(taken).first() is not None:
        raise InvalidInput(FieldError("name", "is that of another customer"))
