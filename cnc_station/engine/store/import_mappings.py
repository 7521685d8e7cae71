"""Which column was which field in the last import of a table from each sender."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, Index, String, Table, Text, delete, insert, select

from cnc_station.engine.store.schema import Time, metadata

MOST_SENDERS = 500  # the oldest is forgotten

import_mapping = Table(
    "import_mapping",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("mapping", Text, nullable=False),  # field -> column, as JSON
    Column("at", Time, nullable=False),
)
Index("import_mapping_at", import_mapping.c.at)


def remembered_mappings(connection: Connection) -> Mapping[str, Mapping[str, str]]:
    """Return fingerprint of a header -> field -> column."""
    rows = connection.execute(select(import_mapping.c.fingerprint, import_mapping.c.mapping))
    return {row.fingerprint: json.loads(row.mapping) for row in rows}


def remember_mapping(
    connection: Connection, fingerprint: str, mapping: Mapping[str, str], now: int
) -> None:
    """Store the mapping of a sender, in place of its last one."""
    own = import_mapping.c.fingerprint == fingerprint
    connection.execute(delete(import_mapping).where(own))
    values: dict[str, Any] = {"fingerprint": fingerprint, "mapping": json.dumps(dict(mapping))}
    connection.execute(insert(import_mapping).values(**values, at=now))
    newest = select(import_mapping.c.fingerprint).order_by(import_mapping.c.at.desc())
    kept = newest.limit(MOST_SENDERS)
    connection.execute(delete(import_mapping).where(import_mapping.c.fingerprint.not_in(kept)))
