"""What a person says about one LinuxCNC machine."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cnc_station.engine.views import Setting

MOST_JOINTS = 6  # as many as it tells about

FIELDS = (
    Setting("host", "Address", "127.0.0.1", "Where linuxcncrsh listens", wanted=True),
    Setting("port", "Port", "5007", wanted=True),
    Setting(
        "program_folder",
        "Program folder",
        hint="A folder of this station that the controller sees too",
        wanted=True,
    ),
    Setting(
        "controller_folder",
        "The same folder, as the controller names it",
        hint="Empty: by the same name",
    ),
    Setting("connect_password", "Connect password", "EMC", secret=True),
    Setting("enable_password", "Enable password", "EMCTOO", secret=True),
    Setting("joints", "Joints", "3", "How many have to be homed: 2 on most lathes"),
    Setting("poll_s", "Ask every", "0.1", "Seconds, while a program runs"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Programs are written into `program_folder`, and opened there by the controller, which knows
    it as `controller_folder`. Seconds."""

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
        """Where it is, for people."""
        return f"{self.host} port {self.port}"

    @classmethod
    def make(cls, settings: dict[str, object]) -> Self:
        """Raises ValueError with a sentence."""
        said = {name: str(value).strip() for name, value in settings.items() if value is not None}
        given = {one.name: said.get(one.name) or one.default for one in FIELDS}
        if not given["program_folder"]:
            raise ValueError("a folder that this computer and the controller share is needed")
        folder = Path(given["program_folder"])
        if not folder.is_absolute():
            raise ValueError("the program folder must be a whole path")
        seen_as = (given["controller_folder"] or str(folder)).rstrip("/")
        for words, what in (
            (seen_as, "the folder's name, as the controller sees it,"),
            (given["connect_password"], "the connect password"),
            (given["enable_password"], "the enable password"),
        ):
            if words.split() != [words]:  # a request's words are split at spaces
                raise ValueError(f"{what} must have no spaces in it")
        return cls(
            program_folder=folder,
            controller_folder=seen_as,
            host=given["host"],
            port=_whole(given["port"], "the port", 65_535),
            connect_password=given["connect_password"],
            enable_password=given["enable_password"],
            joints=_whole(given["joints"], "the number of joints", MOST_JOINTS),
            poll_s=_seconds(given["poll_s"]),
        )


def _whole(text: str, what: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise ValueError(f"{what} must be a whole number from 1 to {most}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.02 <= seconds <= 5.0:
        raise ValueError("it must be asked every 0.02 to 5 seconds")
    return seconds
