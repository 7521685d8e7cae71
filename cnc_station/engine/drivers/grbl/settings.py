"""The address of a controller, and the time limits for its answers."""

import re
from dataclasses import dataclass

from cnc_station.engine.drivers.base import number_between

_TCP = re.compile(r"(?:tcp://)?(\[[0-9A-Fa-f:.]+\]|[^\s:/\\\[\]]+):(\d{1,5})")
DEFAULT_TOLERANCE_MM = 0.1  # more than one step of a coarse screw, less than any cut
_BAUD_RATES = range(300, 4_000_001)


@dataclass(frozen=True, slots=True)
class Settings:
    """Either a serial `device`, or a TCP `host` and `tcp_port`. `tolerance_mm` is the largest
    distance between the tool and the end of a completed program."""

    device: str = ""
    baud: int = 115_200
    host: str = ""
    tcp_port: int = 0
    tolerance_mm: float = DEFAULT_TOLERANCE_MM

    @property
    def address(self) -> str:
        return self.device or f"{self.host}:{self.tcp_port}"


def from_machine(settings: dict[str, object]) -> Settings:
    """Return the settings from a machine's driver settings. Raises ValueError with a sentence."""
    port = str(settings.get("port") or "").strip()
    if not port:
        raise ValueError(
            "enter the address of the controller: /dev/ttyUSB0, COM3, or 192.168.5.1:23"
        )
    entered = str(settings.get("tolerance_mm") or "").strip() or str(DEFAULT_TOLERANCE_MM)
    tolerance = number_between(entered, "the tolerance", 0.001, 10, "mm")
    tcp = _TCP.fullmatch(port)
    if tcp:
        number = int(tcp[2])
        if not 0 < number < 65536:
            raise ValueError(f"{number} is not a TCP port: it must be from 1 to 65535")
        return Settings(host=tcp[1].strip("[]"), tcp_port=number, tolerance_mm=tolerance)
    baud = str(settings.get("baud") or 115_200).strip()
    if not (baud.isascii() and baud.isdecimal() and int(baud) in _BAUD_RATES):
        raise ValueError("the baud rate must be a whole number such as 115200")
    return Settings(device=port, baud=int(baud), tolerance_mm=tolerance)


@dataclass(frozen=True, slots=True)
class Patience:
    """Time limits in s. `silence`: without an answer to polls. `idle`: in Idle with unanswered
    lines. `still`: in Run without motion. `stop`: until a feed hold has stopped the axes. `offset`:
    until a report has the work offset, which only some have."""

    poll: float = 0.2
    poll_running: float = 0.1
    answer: float = 3.0
    greeting: float = 5.0
    silence: float = 3.0
    idle: float = 5.0
    still: float = 60.0
    stop: float = 10.0
    offset: float = 6.0


DEFAULT = Patience()
