"""Endpoints of webhooks: their changes. Each one locks all endpoints first, so that no station can
commit an event without having seen it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cnc_station.engine import codec
from cnc_station.engine.domain import json_text
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.message_formats.options import FormatOptions
from cnc_station.engine.domain.webhooks import WebhookSpec
from cnc_station.engine.store.before_after import before_after
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.store.webhook_tables import delivery, webhook

_TOLD = ("url", "events", "tenant", "enabled", "format", "options")


@dataclass(frozen=True, slots=True)
class CreateWebhook(OneByOne[int]):
    """Store an endpoint; the answer is its id."""

    spec: WebhookSpec
    secret: str
    actor: str

    def write(self, tx: Tx) -> int:
        lock(tx)
        return _insert(tx, self.spec, self.secret, self.actor, from_settings=False)


@dataclass(frozen=True, slots=True)
class EditWebhook(OneByOne[None]):
    """A `secret` of None leaves the stored one. Raises Conflict if there is no such endpoint."""

    webhook_id: int
    spec: WebhookSpec
    secret: str | None
    actor: str

    def write(self, tx: Tx) -> None:
        lock(tx)
        values: dict[str, Any] = {**_stored(self.spec), "disabled_reason": ""}
        if self.secret is not None:
            values |= {"secret": self.secret, "previous_secret": None}
        _change(tx, self.webhook_id, values, self.actor, f"{self.spec.url} changed", edited=True)


@dataclass(frozen=True, slots=True)
class DeleteWebhook(OneByOne[None]):
    """Its deliveries and their attempts stay; nothing more is sent. Raises Conflict."""

    webhook_id: int
    actor: str

    def write(self, tx: Tx) -> None:
        lock(tx)
        values = {"removed": True, "secret": "", "previous_secret": None}
        _change(tx, self.webhook_id, values, self.actor, "endpoint deleted")
        _end_deliveries(tx, self.webhook_id, "The endpoint was deleted.")


@dataclass(frozen=True, slots=True)
class DisableWebhook(OneByOne[None]):
    """Its receiver has answered that it is gone for good: nothing more is sent to it."""

    webhook_id: int
    reason: str

    def write(self, tx: Tx) -> None:
        lock(tx)
        values = {"enabled": False, "disabled_reason": self.reason}
        _change(tx, self.webhook_id, values, "deliveries", self.reason)
        _end_deliveries(tx, self.webhook_id, self.reason)


@dataclass(frozen=True, slots=True)
class RotateWebhookSecret(OneByOne[None]):
    """The former secret stays valid for `overlap_s`. Raises Conflict."""

    webhook_id: int
    secret: str
    overlap_s: float
    actor: str

    def write(self, tx: Tx) -> None:
        lock(tx)
        values = {
            "previous_secret": webhook.c.secret,
            "previous_until": tx.now + round(self.overlap_s * 1000),
            "secret": self.secret,
        }
        _change(tx, self.webhook_id, values, self.actor, "secret rotated")


@dataclass(frozen=True, slots=True)
class SettingsWebhook(OneByOne[None]):
    """Make the endpoint of the settings what they say; without a `spec` there is none. A `secret`
    of None leaves the stored one, or is replaced by `new_secret` in a new row."""

    spec: WebhookSpec | None
    secret: str | None
    new_secret: str

    def write(self, tx: Tx) -> None:
        found = tx.connection.execute(
            select(webhook).where(webhook.c.from_settings, ~webhook.c.removed)
        ).one_or_none()
        if self.spec is None:
            if found is not None:
                DeleteWebhook(found.id, "settings").write(tx)
            return
        if found is None:
            lock(tx)
            secret = self.secret or self.new_secret
            _insert(tx, self.spec, secret, "settings", from_settings=True)
            return
        values = {"url": self.spec.url, "secret": self.secret or found.secret}
        if any(getattr(found, name) != value for name, value in values.items()):
            lock(tx)
            values |= {"enabled": True, "disabled_reason": ""}
            _change(tx, found.id, values, "settings", f"{self.spec.url} changed")


def lock(tx: Tx) -> None:
    """Precedes every change of an endpoint."""
    tx.flush()
    tx.dialect.lock_webhooks(tx.connection)
    tx.listeners.changed()


def _stored(spec: WebhookSpec) -> dict[str, Any]:
    options = codec.dump(FormatOptions, spec.options) if spec.options != FormatOptions() else b"{}"
    return {
        "url": spec.url,
        "events": f" {' '.join(spec.events)} ",
        "tenant": spec.tenant,
        "enabled": spec.enabled,
        "format": spec.format.value,
        "options": options.decode(),
    }


def _insert(tx: Tx, spec: WebhookSpec, secret: str, actor: str, *, from_settings: bool) -> int:
    (webhook_id,) = tx.dialect.reserve(tx.connection, webhook, 1)
    tx.connection.execute(
        insert(webhook).values(
            id=webhook_id,
            **_stored(spec),
            disabled_reason="",
            removed=False,
            from_settings=from_settings,
            secret=secret,
            created_at=tx.now,
            created_by=actor,
        )
    )
    _record(tx, webhook_id, actor, f"{spec.url} added", before_after(None, _told(_stored(spec))))
    return webhook_id


def _change(
    tx: Tx,
    webhook_id: int,
    values: Mapping[str, Any],
    actor: str,
    reason: str,
    *,
    edited: bool = False,
) -> None:
    """With `edited` its event tells the values before and after."""
    one = (webhook.c.id == webhook_id) & ~webhook.c.removed
    row = tx.connection.execute(select(webhook).where(one)).one_or_none()
    if row is None:
        raise Conflict(f"There is no webhook {webhook_id}.")
    tx.connection.execute(update(webhook).where(one).values(**values))
    before = {name: getattr(row, name) for name in _TOLD}
    details = before_after(_told(before), _told(values)) if edited else {}
    _record(tx, webhook_id, actor, reason, details)


def _record(tx: Tx, webhook_id: int, actor: str, reason: str, details: dict[str, Any]) -> None:
    tx.record(
        t.WEBHOOKS_CHANGED,
        actor=actor,
        reason=f"webhook {webhook_id}: {reason}",
        details=details or None,
    )


def _told(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the history tells of an endpoint: of its options only the names, as the values
    may be credentials."""
    told = {name: columns[name] for name in _TOLD}
    options = json_text.stored_object(told["options"])
    return told | {
        "events": told["events"].split(),
        "options": sorted(name for name, value in options.items() if value),
    }


def _end_deliveries(tx: Tx, webhook_id: int, reason: str) -> None:
    tx.connection.execute(
        update(delivery)
        .where(delivery.c.webhook_id == webhook_id, delivery.c.due_at.is_not(None))
        .values(state="dead", due_at=None, ended_at=tx.now, last_error=reason, station=None)
    )


def exists(connection: Connection, webhook_id: int) -> bool:
    """Whether there is an endpoint of this id that was not deleted."""
    query = select(webhook.c.id).where(webhook.c.id == webhook_id, ~webhook.c.removed)
    return connection.execute(query).scalar() is not None
