"""Which computer this is, and which file: facts that a copy of a file does not take along."""

import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_REGISTRY = r"SOFTWARE\Microsoft\Cryptography"


@dataclass(frozen=True, slots=True)
class Place:
    """A computer and a file of it. `computer` and `path` are hashes; `computer` is "" for a
    computer that has no lasting number, `name` is for people, and `file` tells files apart."""

    computer: str
    name: str
    path: str
    file: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the place of an existing file on this computer. Raises OSError."""
        path = path.resolve()
        found, number = path.stat(), machine_id()
        return cls(
            _hashed(number) if number else "",
            socket.gethostname(),
            _hashed(str(path)),
            f"{found.st_dev}:{found.st_ino}",
        )

    def is_home(self, here: "Place") -> bool:
        """Whether a file that was used in this place is at home `here`: on the same computer, and
        either at the same path (a restored copy) or the same file (renamed or mounted elsewhere).

        A computer may get another name. Without a lasting number its name counts, unless path and
        file are the same.
        """
        same_path, same_file = self.path == here.path, self.file == here.file
        if self.computer or here.computer:
            return self.computer == here.computer and (same_path or same_file)
        return (same_path and same_file) or (self.name == here.name and (same_path or same_file))


def machine_id() -> str:
    """Return the number that this computer's system was given when it was installed; "" if it has
    none."""
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 - only Windows has it

        with suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _REGISTRY) as key:
            return str(winreg.QueryValueEx(key, "MachineGuid")[0])
        return ""
    for path in _MACHINE_IDS:
        with suppress(OSError, ValueError):
            number = path.read_text("ascii").strip()
            if number and number != "uninitialized":
                return number
    return ""


def _hashed(text: str) -> str:
    """Return a hash that other programs' hashes of the same text do not equal."""
    return sha256(f"cnc-station\n{text}".encode()).hexdigest()
