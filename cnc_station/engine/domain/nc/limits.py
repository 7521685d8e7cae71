"""What the reader may assume of a machine, and how much it is willing to read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The machine a program is read for. Millimetres, minutes and seconds.

    `travel_mm` is how far each axis can go, not where: the work offset is set at the machine and
    unknown here, so a program is refused when its extent fits nowhere, never because of where its
    zero lies. `lathe` says what the machine is; None guesses from the words the program uses.
    `skip_deleted` is the control's block delete switch: lines starting with `/` are left out.
    `home_mm` is where the machine's own zero (G28, G30, G53) lies in work coordinates.
    `max_repeated_blocks` ends an endless loop.
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
