"""What the reader may assume about a machine, and how much it reads at most."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The machine that a program is read for. Millimetres, minutes and seconds.

    `travel_mm` is the length of travel of each axis. The work offset is set at the machine and
    unknown here, so a program is refused when its extent is larger than the travel, never because
    of the position of its zero. `lathe` states the kind of machine; None guesses it from the words
    in the program. `skip_deleted` is the block delete switch of the control: lines that start with
    `/` are skipped. `home_mm` is the machine zero (G28, G30, G53) in work coordinates.
    `max_repeated_blocks` stops an endless loop.
    """

    rapid_mm_min: float = 10_000.0
    tool_change_s: float = 5.0
    max_spindle_rpm: float = 6_000.0
    travel_mm: tuple[float, float, float] | None = None
    lathe: bool | None = None
    skip_deleted: bool = True
    home_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    max_lines: int = 2_000_000
    max_repeated_blocks: int = 500_000
    max_moves: int = 2_000_000

    def __post_init__(self) -> None:
        if self.rapid_mm_min <= 0 or self.max_spindle_rpm <= 0 or self.tool_change_s < 0:
            raise ValueError("a machine's rates must be more than zero")


DEFAULT = Limits()
