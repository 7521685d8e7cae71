"""Files and folders that only the station's own user can open, from their first byte.

Every folder and file that the program makes is made here. On Windows modes mean nothing: there a
user's folders are private by their access list, and nothing is changed.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

POSIX = os.name == "posix"
FOLDER_MODE, FILE_MODE = 0o700, 0o600
DRAFT_ENDING = ".new"
_OTHERS = 0o077
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
_NEW |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def make_folder(folder: Path) -> None:
    """Create a folder, and its missing parents. An existing one stays as it is. Raises OSError."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def create(path: Path) -> None:
    """Create an empty file, unless it exists. Raises OSError.

    An existing file is not opened: to close a database drops all locks of SQLite in this process.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, _NEW, FILE_MODE))


def create_new(path: Path) -> None:
    """Create an empty file where nothing is, not even a link. Raises OSError."""
    os.close(os.open(path, _NEW, FILE_MODE))


def replace(path: Path, content: bytes, mode: int | None = FILE_MODE) -> None:
    """Write all of a file or nothing, and onto the disk. A link in its place is replaced, never
    followed. With `mode` None a new file is as open as the user's other ones. Raises OSError.

    The draft beside it has a name that nobody can foresee: another account that may write into the
    folder cannot place a link there.
    """
    opened_as = 0o666 if mode is None else FILE_MODE
    with draft_of(path, opened_as=opened_as, mode=mode) as file:
        file.write(content)


@contextmanager
def draft_of(
    path: Path, *, opened_as: int = FILE_MODE, mode: int | None = None
) -> Iterator[BinaryIO]:
    """Yield a new file that takes the place of `path` at the end, complete and on the disk. If the
    block raises, nothing is left of it. Without `mode` none is set: a drive may know no modes.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}{DRAFT_ENDING}")
    handle = os.open(draft, _NEW, opened_as)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            if POSIX and mode is not None:
                os.fchmod(handle, mode)
            os.fsync(handle)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):  # the drive may be gone
            draft.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Bring new names in a folder onto the disk, where its file system can do so."""
    if not POSIX:
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_regular(path: Path, most: int) -> bytes | None:
    """Read a file of at most this size. None if a larger one, a link or a device stands there. A
    pipe does not block it. Raises OSError."""
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, os.O_RDONLY | flags)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link; a socket
            return None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        content = file.read(most + 1)
    return content if len(content) <= most else None


def forbid_core_dumps() -> None:
    """Keep the memory of this process and of those that it starts, with all passwords in it, out of
    a file when it crashes."""
    if not POSIX:
        return
    import resource  # noqa: PLC0415 - POSIX only

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def is_private(path: Path) -> bool:
    """Return whether no other account can open a file or folder. One that does not exist, or is not
    looked at on this system, counts as private."""
    try:
        return not POSIX or not path.stat().st_mode & _OTHERS
    except OSError:
        return True


def tighten(paths: Iterable[Path]) -> None:
    """Take the rights of other accounts to files and folders of this user. Links, sticky folders
    and what belongs to others stay as they are."""
    for path in paths:
        with suppress(OSError):
            found = path.lstat()
            mode = stat.S_IMODE(found.st_mode)
            shared = stat.S_ISLNK(found.st_mode) or mode & stat.S_ISVTX
            if POSIX and not shared and mode & _OTHERS and found.st_uid == os.getuid():
                path.chmod(mode & ~_OTHERS)


def of_database(path: Path) -> Iterator[Path]:
    """Yield a database file, its log, lock and copies, as far as they exist."""
    yield path
    with suppress(OSError):
        yield from path.parent.glob(f"{_literal(path.name)}[-.]*")


def of_data_folder(folder: Path) -> Iterator[Path]:
    """Yield the data folder and the files that the program keeps there. Not the file of passwords:
    one that others can read is refused, since they may have been seen."""
    if folder not in {Path.home(), Path(folder.anchor)}:
        yield folder
    with suppress(OSError):
        for pattern in (
            "*.db",
            "cnc-station.log*",
            "logs",
            "logs/*",
            "window-*",
            "run",
            "run/*",
            "crashes",
            "crashes/*",
        ):
            for path in folder.glob(pattern):
                yield from of_database(path) if path.suffix == ".db" else (path,)


def _literal(name: str) -> str:
    """Return a pattern that matches this name alone."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
