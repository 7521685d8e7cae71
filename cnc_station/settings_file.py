"""Write settings into the TOML file of a station, and keep everything else in it."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from cnc_station import private_files
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.setting_readers import ALIASES

_MOST_BYTES = 1 << 20


def store(path: Path, values: Mapping[str, str]) -> None:
    """Set each of these settings, all or none; comments and other settings stay. A new file is
    private: an address in it may contain a password. Raises Conflict for a file that can't be
    edited without a risk, and Unavailable."""
    path = path.resolve()  # a link stays one
    try:
        before = path.read_bytes() if path.exists() else b""
        mode = path.stat().st_mode & 0o777 if path.exists() else private_files.FILE_MODE
        after = edited(before[:_MOST_BYTES].decode(), values).encode()
        private_files.make_folder(path.parent)
        private_files.replace(path, after, mode)
    except UnicodeDecodeError as error:
        raise Conflict(f"{path} is not UTF-8 text: change it by hand.") from error
    except OSError as error:
        raise Unavailable(f"{path} can't be written: {error.strerror}.") from error


def edited(text: str, values: Mapping[str, str]) -> str:
    """Return the text of a file with these settings. Raises Conflict unless it then says the same
    as before but for them."""
    names = {name: {name, *(old for old, new in ALIASES.items() if new == name)} for name in values}
    lines = text.splitlines()
    for name, value in values.items():
        line = f"{name} = {json.dumps(value, ensure_ascii=False)}"
        found = [at for at, old in enumerate(lines) if _name_of(old) in names[name]]
        if found:
            lines[found[0]] = line
            for at in reversed(found[1:]):
                del lines[at]
        else:
            lines.append(line)
    after = "\n".join([*lines, ""])
    gone = set().union(*names.values())
    try:
        kept = {name: one for name, one in tomllib.loads(text).items() if name not in gone}
        same = tomllib.loads(after) == {**kept, **values}
    except tomllib.TOMLDecodeError as error:
        raise Conflict(f"The settings file is not valid TOML: {error}") from error
    if not same:
        raise Conflict("The settings file can't be changed safely: change it by hand.")
    return after


def _name_of(line: str) -> str:
    found = re.match(r"\s*(?:\"([\w-]+)\"|([\w-]+))\s*=", line)
    return (found[1] or found[2]) if found else ""
