"""Settings that the shop changes in the window: JSON values by key."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert

from cnc_station.engine.domain.transitions import SETTINGS_CHANGED
from cnc_station.engine.store.schema import setting
from cnc_station.engine.store.transaction import Change, Tx


@dataclass(frozen=True, slots=True)
class SaveSettings(Change[None]):
    """Replace the given settings; the others stay."""

    values: Mapping[str, Any]
    actor: str

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["SaveSettings"]) -> list[Exception | None]:
        """In the order they were asked, the last one wins."""
        values = {key: value for change in changes for key, value in change.values.items()}
        for change in changes:
            reason = ", ".join(sorted(change.values))
            tx.record(SETTINGS_CHANGED, actor=change.actor, reason=reason)
        if values:
            tx.connection.execute(delete(setting).where(setting.c.key.in_(sorted(values))))
            rows = [{"key": key, "value": json.dumps(value)} for key, value in values.items()]
            tx.connection.execute(insert(setting), rows)
        return [None for _ in changes]
