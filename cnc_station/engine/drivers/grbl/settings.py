"""Where the controller is, and how patient to be with it."""

import re
from dataclasses import dataclass

_TCP = re.compile(r"(?:tcp://)?(\[[0-9A-Fa-f:.]+\]|[^\s:/\\\[\]]+):(\d{1,5})")
_BAUD_RATES = range(300, 4_000_001)


@dataclass(frozen=True, slots=True)
class Settings:
    """Either a serial `device`, or a TCP `host` and `tcp_port`."""

    device: str = ""
    baud: int = 115_200
    host: str = ""
    tcp_port: int = 0

    @property
    def address(self) -> str:
        """As people write it."""
        return self.device or f"{self.host}:{self.tcp_port}"


def from_machine(settings: dict[str, object]) -> Settings:
    """From a machine's driver settings; raises ValueError with a sentence."""
    port = str(settings.get("port") or "").strip()
    if not port:
        raise ValueError("say where the controller is: /dev/ttyUSB0, COM3, or 192.168.5.1:23")
    tcp = _TCP.fullmatch(port)
    if tcp:
        number = int(tcp[2])
        if not 0 < number < 65536:
            raise ValueError(f"{number} is not a TCP port: they go from 1 to 65535")
        return Settings(host=tcp[1].strip("[]"), tcp_port=number)
    baud = str(settings.get("baud") or 115_200).strip()
    if not (baud.isascii() and baud.isdecimal() and int(baud) in _BAUD_RATES):
        raise ValueError("the baud rate must be a whole number such as 115200")
    return Settings(device=port, baud=int(baud))


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. `silence` is how long a controller that is asked again and again may say nothing;
    `idle` how long it may stand idle with lines unanswered; `still` how long it may claim to run
    without moving; `stop` how long a feed hold may take to bring the axes to rest."""

    poll: float = 0.2
    poll_running: float = 0.1
    answer: float = 3.0
    greeting: float = 5.0
    silence: float = 3.0
    idle: float = 5.0
    still: float = 60.0
    stop: float = 10.0


DEFAULT = Patience()
