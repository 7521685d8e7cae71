"""The NC programs that a table of jobs names and that lie in its folder."""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path

from cnc_station.engine.commands import AddProgram
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.nc.names import is_program
from cnc_station.engine.door import Asks
from cnc_station.engine.outside_file import MOST_PROGRAM_BYTES, FileRefused, read_outside_file
from cnc_station.engine.own_thread import on_own_thread

_LONGEST_S = 20.0  # a share of the network that is away blocks its readers for ever
_MOST_FILES = 50_000  # in the folder


async def programs_beside(table: Path, names: Iterable[str]) -> Mapping[str, Path]:
    """Return name -> file for those of these programs that lie beside a table. A folder that can't
    be listed has none."""
    try:
        listing = partial(_files, table.parent)
        files = await on_own_thread(listing, _LONGEST_S, name="files beside a table")
    except (TimeoutError, OSError):
        return {}
    return {name: files[name.casefold()] for name in names if name.casefold() in files}


def _files(folder: Path) -> Mapping[str, Path]:
    with os.scandir(folder) as found:
        entries = [entry.name for entry in islice(found, _MOST_FILES)]
    return {name.casefold(): folder / name for name in entries if is_program(name)}


async def store_programs(door: Asks, files: Mapping[str, Path]) -> None:
    """Store programs under the names that the table gives them. Raises InvalidInput with one
    problem for each file that is not a program."""
    errors: list[FieldError] = []
    for name, path in files.items():
        try:
            source = await read_outside_file(path, MOST_PROGRAM_BYTES)
            await door.execute(AddProgram(name, source))
        except FileRefused as error:
            errors += error.errors
        except InvalidInput as error:
            first, *others = error.errors
            more = f" (and {len(others)} more)" if others else ""
            errors.append(FieldError(f"{name}, {first.field}", f"{first.reason}{more}"))
    if errors:
        raise InvalidInput(*errors)
