"""The migrations of an earlier version of the program."""

import shutil
from pathlib import Path

from cnc_station.engine.store import migrate


def copy_migrations(folder: Path, before: int) -> None:
    """As an earlier version of the program has them."""
    shutil.copytree(migrate.MIGRATIONS, folder)
    for file in (folder / "versions").glob("v[0-9]*.py"):
        if int(file.name[1:5]) >= before:
            file.unlink()
