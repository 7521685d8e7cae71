"""A back-up as one file: a ZIP archive with a manifest that names every member and its checksum.

An archive may come from anywhere. Nothing in it is used as a path, and no more is read of a member
than the manifest promises.
"""

import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, BinaryIO, Self

from cnc_station import private_files
from cnc_station.engine.domain.backup import (
    MANIFEST,
    Manifest,
    Member,
    NewerFormat,
    NotAManifest,
)
from cnc_station.engine.domain.errors import FieldError, InvalidInput

OnBytes = Callable[[int], None]
_CHUNK = 1 << 20
_LEVEL = 1  # of compression: half the size of a shop's database, three times as fast as the default
_MOST_MANIFEST = 1 << 20
_MOST_MEMBERS = 10
_MOST_DIRECTORY = 1 << 20  # bytes, of the list of members at the end
_END = struct.Struct("<4s4H2LH")
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,  # a member with a password
    struct.error,
)


class BackupRefused(InvalidInput):
    """A file that is not a sound back-up for this program. Nothing was changed."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(FieldError(path.name or str(path), reason))


def write(
    path: Path, manifest: Manifest, parts: Sequence[tuple[str, Path | bytes]], on_bytes: OnBytes
) -> Manifest:
    """Write an archive of files and texts by their names, read it again, and only then give it its
    name. Return the complete manifest. Raises OSError, BackupRefused."""
    with private_files.draft_of(path) as file:
        members = []
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
            members += [_add(packed, name, content, on_bytes) for name, content in parts]
            manifest = replace(manifest, members=tuple(members))
            _add(packed, MANIFEST, manifest.to_json().encode(), on_bytes)
        file.flush()
        Archive.read(path, file).check()
    private_files.sync_folder(path.parent)
    return manifest


def _add(packed: zipfile.ZipFile, name: str, content: Path | bytes, on_bytes: OnBytes) -> Member:
    about = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    about.compress_type = zipfile.ZIP_DEFLATED
    about.external_attr = (stat.S_IFREG | private_files.FILE_MODE) << 16
    digest, size = hashlib.sha256(), 0
    with packed.open(about, "w", force_zip64=True) as member:
        for chunk in _chunks(content):
            member.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            on_bytes(len(chunk))
    return Member(name, size, digest.hexdigest())


def _chunks(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


class Archive:
    """An archive that can be read. Its members are checked while they are read."""

    def __init__(self, path: Path, packed: zipfile.ZipFile, manifest: Manifest) -> None:
        self.manifest = manifest
        self._path = path
        self._packed = packed

    @classmethod
    def read(cls, path: Path, file: BinaryIO) -> Self:
        """Return the archive in an open file. Raises BackupRefused."""
        try:
            _refuse_large_directory(file)
            packed = zipfile.ZipFile(file)
            manifest = Manifest.from_json(_manifest_text(packed))
        except NewerFormat:
            raise BackupRefused(path, "was made by a newer CNC Station: install that") from None
        except NotAManifest as error:
            raise BackupRefused(path, f"is damaged: {error}") from error
        except _FAULTS as error:
            raise BackupRefused(path, "is not a back-up, or it is damaged or cut short") from error
        names = {MANIFEST, *(member.name for member in manifest.members)}
        if len(packed.infolist()) != len(names) or {*packed.namelist()} != names:
            raise BackupRefused(path, "is damaged: it does not hold what its list of contents says")
        return cls(path, packed, manifest)

    def check(self) -> None:
        """Read every member. Raises BackupRefused if one is not as the manifest says."""
        for member in self.manifest.members:
            for _chunk in self._content(member):
                pass

    def extract(self, name: str, to: IO[bytes], on_bytes: OnBytes) -> None:
        """Write a member into a file. Raises BackupRefused, OSError; the file is worthless then."""
        for chunk in self._content(self.member(name)):
            to.write(chunk)
            on_bytes(len(chunk))

    def has(self, name: str) -> bool:
        return any(member.name == name for member in self.manifest.members)

    def member(self, name: str) -> Member:
        """Return a member by its name. Raises BackupRefused if there is none."""
        for member in self.manifest.members:
            if member.name == name:
                return member
        raise BackupRefused(self._path, f"is damaged: it has no {name}")

    def _content(self, member: Member) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), member.size
        try:
            with self._packed.open(_plain(self._packed.getinfo(member.name))) as packed:
                while chunk := packed.read(min(_CHUNK, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        break
                    digest.update(chunk)
                    yield chunk
        except _FAULTS as error:
            raise BackupRefused(self._path, f"is damaged: {member.name} can't be read") from error
        if left or digest.hexdigest() != member.sha256:
            raise BackupRefused(self._path, f"is damaged: {member.name} has a wrong checksum")


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Yield the archive in an ordinary file. Raises BackupRefused."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BackupRefused(path, "is not an ordinary file")
        file = path.open("rb")
    except OSError as error:
        raise BackupRefused(path, f"can't be read: {error.strerror or error}") from error
    with file:
        try:
            yield Archive.read(path, file)
        except OSError as error:
            if error.filename is not None:  # of another file
                raise
            raise BackupRefused(path, f"can't be read: {error.strerror or error}") from error


def _manifest_text(packed: zipfile.ZipFile) -> str:
    if len(packed.infolist()) > _MOST_MEMBERS:
        raise NotAManifest("it holds too many files")
    about = _plain(packed.getinfo(MANIFEST))
    if about.file_size > _MOST_MANIFEST:
        raise NotAManifest("its list of contents is too long")
    with packed.open(about) as file:
        return file.read(_MOST_MANIFEST).decode()


def _plain(about: zipfile.ZipInfo) -> zipfile.ZipInfo:
    if about.compress_type not in _METHODS or about.flag_bits & 1:
        raise zipfile.BadZipFile
    return about


def _refuse_large_directory(file: BinaryIO) -> None:
    """`zipfile` reads the whole list of members: of a foreign archive it may be gigabytes. Ours is
    never long, and has no comment after it."""
    size = file.seek(0, 2)
    if size < _END.size:
        raise zipfile.BadZipFile
    file.seek(size - _END.size)
    signature, *_, length, _offset, comment = _END.unpack(file.read(_END.size))
    if signature != b"PK\x05\x06" or comment or length > _MOST_DIRECTORY:
        raise zipfile.BadZipFile
