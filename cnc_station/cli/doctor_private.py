"""Check what other accounts of this computer could read or replace, and the file of passwords."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from cnc_station import addresses, config, private_files, secrets
from cnc_station.cli.invocation import Call, Diagnosis

_SUBJECT = "privacy"
_MOST_NAMED = 4


def privacy(call: Call) -> Iterator[Diagnosis]:
    """Check the modes of the data folder, the database and the settings. Says nothing where modes
    mean nothing."""
    if not private_files.POSIX:
        return
    yield from _folders(call.config)
    open_files = [path for path in _files(call) if not private_files.is_private(path)]
    if open_files:
        named = ", ".join(map(str, open_files[:_MOST_NAMED]))
        more = len(open_files) - _MOST_NAMED
        yield Diagnosis.warning(
            _SUBJECT,
            f"other accounts may open {named}" + (f" and {more} more" if more > 0 else ""),
            "The next start of the station makes its own files private. Change the passwords that "
            f"may have been read. Until then: chmod go-rwx {' '.join(map(str, open_files))}",
        )
    else:
        yield Diagnosis.good(_SUBJECT, "no other account may open the station's files")


def passwords(call: Call) -> Iterator[Diagnosis]:
    """Check the file of passwords, even if no server of the settings needs it now."""
    if reason := secrets.broken(call.config):
        yield Diagnosis.bad(
            "passwords",
            reason,
            "Mend that line, or run cnc-station secret set: it keeps a copy of the file and all "
            "passwords that can be read.",
        )


def _folders(settings: config.Config) -> Iterator[Diagnosis]:
    path = settings.database_path
    for folder in {settings.data_folder, *([] if path is None else [_real(path).parent])}:
        if folder.is_dir() and _others_may_write(folder):
            yield Diagnosis.warning(
                _SUBJECT,
                f"other accounts may replace files in {folder}",
                f"Take that right away: chmod go-w {folder}",
            )


def _real(path: Path) -> Path:
    """Return the file behind a link; a link that leads to itself stays as it is."""
    return Path(os.path.realpath(path))


def _others_may_write(folder: Path) -> bool:
    return bool(folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _files(call: Call) -> Iterator[Path]:
    """Yield what must be private, as far as it exists."""
    settings = call.config
    yield from private_files.of_data_folder(settings.data_folder)
    path = settings.database_path
    if path is not None and path.parent != settings.data_folder:
        yield from private_files.of_database(_real(path))
    urls = (settings.database_url if path is None else "", settings.redis_url)
    if any(url and addresses.password(url) is not None for url in urls):
        named = call.args.config or call.environ.get("CNC_CONFIG")
        yield Path(named) if named else config.default_file()
