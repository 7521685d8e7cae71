"""The settings of one LinuxCNC machine."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cnc_station.engine.drivers.base import number_between
from cnc_station.engine.views import Setting

MOST_JOINTS = 6  # the largest number of joints

FIELDS = (
    Setting("host", "Address", "127.0.0.1", "Host name or IP address of linuxcncrsh", wanted=True),
    Setting("port", "Port", "5007", wanted=True),
    Setting(
        "program_folder",
        "Program folder",
        hint="A folder of this station that the controller can also read",
        wanted=True,
    ),
    Setting(
        "controller_folder",
        "The path of the same folder on the controller",
        hint="Empty: the same path",
    ),
    Setting("connect_password", "Connect password", "EMC", secret=True),
    Setting("enable_password", "Enable password", "EMCTOO", secret=True),
    Setting("joints", "Joints", "3", "Number of joints to home: 2 on most lathes"),
    Setting("poll_s", "Poll interval", "0.1", "Seconds, while a program runs"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The controller knows `program_folder`, where programs are written, as `controller_folder`."""

    program_folder: Path
    controller_folder: str
    host: str = "127.0.0.1"
    port: int = 5007
    connect_password: str = field(default="EMC", repr=False)
    enable_password: str = field(default="EMCTOO", repr=False)
    joints: int = 3
    poll_s: float = 0.1

    @property
    def address(self) -> str:
        return f"{self.host} port {self.port}"

    @classmethod
    def make(cls, settings: dict[str, object]) -> Self:
        """Return the settings. Raises ValueError with a sentence."""
        entered = {
            name: str(value).strip() for name, value in settings.items() if value is not None
        }
        given = {one.name: entered.get(one.name) or one.default for one in FIELDS}
        if not given["program_folder"]:
            raise ValueError("enter a folder that this computer and the controller share")
        folder = Path(given["program_folder"])
        if not folder.is_absolute():
            raise ValueError("the program folder must be an absolute path")
        seen_as = (given["controller_folder"] or str(folder)).rstrip("/")
        for words, what in (
            (seen_as, "the folder's name, as the controller sees it,"),
            (given["connect_password"], "the connect password"),
            (given["enable_password"], "the enable password"),
        ):
            if words.split() != [words]:  # a request is split at spaces
                raise ValueError(f"{what} must not contain spaces")
        return cls(
            program_folder=folder,
            controller_folder=seen_as,
            host=given["host"],
            port=_whole(given["port"], "the port", 65_535),
            connect_password=given["connect_password"],
            enable_password=given["enable_password"],
            joints=_whole(given["joints"], "the number of joints", MOST_JOINTS),
            poll_s=number_between(given["poll_s"], "the poll interval", 0.02, 5, "seconds"),
        )


def _whole(text: str, what: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise ValueError(f"{what} must be a whole number from 1 to {most}")
    return int(text)
