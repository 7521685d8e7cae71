"""The settings the shop has changed."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from cnc_station.engine.store.schema import setting


def settings(connection: Connection) -> Mapping[str, Any]:
    """Every kept setting by its key."""
    query = select(setting.c.key, setting.c.value).order_by(setting.c.key)
    return {row.key: json.loads(row.value) for row in connection.execute(query)}
