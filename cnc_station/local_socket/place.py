"""Where a station listens: a Unix socket of its user, or TCP with a token."""

import json
import os
import stat
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cnc_station import private_files
from cnc_station.config import Config
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.peers.limits import LOCAL_SOCKET

MOST_BYTES = LOCAL_SOCKET.bytes  # of a request: the largest table, in base64
MOST_PATH_BYTES = 100  # AF_UNIX allows 108 on Linux and 104 on macOS
USES_UNIX = os.name == "posix"


@dataclass(frozen=True, slots=True)
class Place:
    """`file` is the Unix socket, or contains the TCP port and its token."""

    file: Path
    unix: bool


def place_of(config: Config, *, unix: bool = USES_UNIX) -> Place:
    """Return the place, which depends only on the database and the station."""
    path = config.database_path
    database = config.database_shown if path is None else path.absolute()
    key = sha256(f"{database}\n{config.station}".encode()).hexdigest()[:16]
    folder = config.data_folder.absolute() / "run"
    if not unix:
        return Place(folder / f"{key}.json", unix)
    file = folder / f"{key}.sock"
    if len(os.fsencode(file)) > MOST_PATH_BYTES:
        file = Path(tempfile.gettempdir()) / f"cnc-station-{os.getuid()}" / file.name
    return Place(file, unix)


def check_private(folder: Path) -> None:
    """Raise Unavailable if other users could create a socket in the folder."""
    if not USES_UNIX:
        return  # a user's folders are private on Windows
    status = folder.lstat()  # in a folder of all users another one could have placed a link
    private = status.st_uid == os.getuid() and not status.st_mode & 0o077
    if not private or not stat.S_ISDIR(status.st_mode):
        raise Unavailable(f"{folder} must belong to this user alone: run chmod 700 {folder}")


def write_port(file: Path, port: int, token: str) -> None:
    """Store the port and the token for programs of the same user."""
    private_files.replace(file, json.dumps({"port": port, "token": token}).encode())


def read_port(file: Path) -> tuple[int, str]:
    """Return port and token. Raises OSError or ValueError if no station has stored them."""
    told = json.loads(file.read_text("utf-8"))
    return int(told["port"]), str(told["token"])
