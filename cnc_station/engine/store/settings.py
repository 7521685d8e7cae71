"""Settings that the shop changes in the window: JSON values by key."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.transitions import SETTINGS_CHANGED
from cnc_station.engine.store.before_after import before_after
from cnc_station.engine.store.schema import setting
from cnc_station.engine.store.transaction import StoreCommand, Tx


@dataclass(frozen=True, slots=True)
class SaveSettings(StoreCommand[None]):
    """Replace the given settings; the others stay."""

    values: Mapping[str, Any]
    actor: str

    @classmethod
    def apply(cls, tx: Tx, commands: Sequence["SaveSettings"]) -> list[Exception | None]:
        values = {key: value for command in commands for key, value in command.values.items()}
        stored = _stored(tx.connection, values)
        for command in commands:
            tx.record(
                SETTINGS_CHANGED,
                actor=command.actor,
                reason=", ".join(sorted(command.values)),
                details=before_after(
                    {key: stored.get(key) for key in command.values}, command.values
                ),
            )
            stored |= command.values
        for key in sorted(values):
            value = json.dumps(values[key])
            # Update first: of two stations that save a key at once, the later one waits here.
            there = update(setting).where(setting.c.key == key).values(value=value)
            if not tx.connection.execute(there).rowcount:
                tx.connection.execute(insert(setting).values(key=key, value=value))
        return [None for _ in commands]


def settings(connection: Connection) -> Mapping[str, Any]:
    """Every stored setting by its key."""
    return _stored(connection)


def _stored(connection: Connection, keys: Collection[str] | None = None) -> dict[str, Any]:
    query = select(setting.c.key, setting.c.value).order_by(setting.c.key)
    if keys is not None:
        query = query.where(setting.c.key.in_(sorted(keys)))
    return {row.key: json_text.stored(row.value) for row in connection.execute(query)}
