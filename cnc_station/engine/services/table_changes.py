"""What importing a table again would change of the jobs that are stored."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from cnc_station.engine.domain.import_fields import IMPORT_LABELS
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.services.table_import import Imported
from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.merge import difference, stored_jobs
from cnc_station.engine.views import ImportChange, ImportPreview

CHANGES_KEPT = 1_000
_LONGEST_TEXT = 60
_NO_VALUE = "–"  # noqa: RUF001 - as the window shows it


def with_changes(
    connection: Connection, dialect: Dialect, imported: Imported, zone: dt.tzinfo | None
) -> ImportPreview:
    """Return the preview with what the import would change of stored jobs."""
    stored = stored_jobs(connection, dialect, imported.specs)
    changes: list[ImportChange] = []
    changed = kept = known = 0
    for number, spec in zip(imported.rows, imported.specs, strict=True):
        row = stored.get((spec.tenant, spec.external_id))
        if row is None:
            continue
        known += 1
        found = difference(row, spec, imported.fields)
        if not found.changes:
            continue
        changed += not found.kept
        kept += bool(found.kept)
        if len(changes) < CHANGES_KEPT:
            fields = _texts(found.before, found.changes, zone)
            changes.append(ImportChange(number, row.id, spec.name, fields, found.kept))
    return replace(
        imported.preview, stored=known, changed=changed, kept=kept, changes=tuple(changes)
    )


def _texts(
    before: JobSpec, changes: Mapping[str, Any], zone: dt.tzinfo | None
) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (IMPORT_LABELS[name], _text(name, getattr(before, name), zone), _text(name, value, zone))
        for name, value in changes.items()
    )


def _text(name: str, value: Any, zone: dt.tzinfo | None) -> str:
    if value in (None, "", {}):
        return _NO_VALUE
    if name in {"due_at", "not_before"}:
        return f"{dt.datetime.fromtimestamp(value / 1000, zone):%Y-%m-%d %H:%M}"
    if name in {"estimated_s", "timeout_s"}:
        return f"{value:g} s"
    text = str(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
