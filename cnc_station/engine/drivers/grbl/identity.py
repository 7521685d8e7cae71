"""Who a controller is, and the settings of its that matter here."""

import logging
from dataclasses import dataclass

from cnc_station.engine.drivers.grbl import reports
from cnc_station.engine.drivers.grbl.hearing import Refused
from cnc_station.engine.drivers.grbl.questions import Questions
from cnc_station.engine.drivers.grbl.reports import Make

log = logging.getLogger(__name__)

_REPORTS_IN_INCHES, _HOMING = 13, 22  # settings


@dataclass(frozen=True, slots=True)
class Who:
    """`homing`: whether it homes, None if it doesn't say; `inches`: whether it reports in them.
    `build` is what it says of its firmware, `settings` are all of its own, by number."""

    make: Make
    inches: bool
    homing: bool | None
    build: str = ""
    settings: tuple[tuple[str, str], ...] = ()


async def found(questions: Questions, name: str | None) -> Who | None:
    """None where it does not say; `name` is how it has welcomed us. Raises Unavailable.

    Half a line may stand in its buffer, from whoever spoke to it before. A `$` in it makes it an
    error, whatever it was, so nothing moves; and the second question is understood.
    """
    for _ in range(2):
        try:
            said = await questions.ask("$I", expects="[OPT:")
            return _read(said, await questions.ask("$$"), name)
        except Refused as error:
            log.warning("%s does not say who it is: %s", questions.address, error)
    return None


def _read(said: list[str], settings: list[str], name: str | None) -> Who:
    kept = dict(filter(None, map(reports.setting, settings)))
    homing = kept.get(_HOMING)  # a bit mask in grblHAL, bit 0 switches it on
    build = next((line for line in said if line.startswith("[VER:")), "").strip("[]")
    return Who(
        reports.make(said, name),
        inches=kept.get(_REPORTS_IN_INCHES) == "1",
        homing=homing.isdecimal() and int(homing) % 2 == 1 if homing else None,
        build=build,
        settings=tuple((str(number), value) for number, value in sorted(kept.items())),
    )
