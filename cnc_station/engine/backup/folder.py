"""The folder of back-ups: which ones are there, and which ones go."""

import datetime as dt
from contextlib import suppress
from pathlib import Path

from cnc_station.engine.backup.making import require_folder, told
from cnc_station.engine.domain.backup import kept, time_of
from cnc_station.engine.views.backups import BackupRow


def list_backups(folder: Path, series: str) -> tuple[BackupRow, ...]:
    """Return the back-ups of a series, newest first. Raises Unavailable."""
    with told(folder):
        require_folder(folder)
        found = []
        for path in folder.iterdir():
            at = time_of(path.name, series)
            if at is not None:
                found.append(BackupRow(path.name, at, path.stat().st_size))
    return tuple(sorted(found, key=lambda row: row.at, reverse=True))


def thin_out(folder: Path, series: str, zone: dt.tzinfo | None) -> tuple[BackupRow, ...]:
    """Delete the back-ups of a series that the rule does not keep. Return those that stay. Other
    files are never touched. Raises Unavailable."""
    rows = list_backups(folder, series)
    keep = kept((row.at for row in rows), zone)
    for row in rows:
        if row.at not in keep:
            with suppress(OSError):
                (folder / row.name).unlink()
    return list_backups(folder, series)
