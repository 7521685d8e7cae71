"""The make and the settings of a controller."""

import logging
from dataclasses import dataclass

from cnc_station.engine.drivers.grbl import reports
from cnc_station.engine.drivers.grbl.hearing import Refused
from cnc_station.engine.drivers.grbl.questions import Questions
from cnc_station.engine.drivers.grbl.reports import Make

log = logging.getLogger(__name__)

_REPORTS_IN_INCHES, _HOMING = 13, 22  # numbers of settings


@dataclass(frozen=True, slots=True)
class ControllerInfo:
    """The make and settings of a controller.

    `homing`: whether homing is switched on; None if unknown. `inches`: whether it reports in
    inches. `build` is its firmware text, `settings` are all its settings by number.
    """

    make: Make
    inches: bool
    homing: bool | None
    build: str = ""
    settings: tuple[tuple[str, str], ...] = ()


async def read_info(questions: Questions, name: str | None) -> ControllerInfo | None:
    """Return the controller's info; None if it does not report it. Raises Unavailable.

    `name` comes from its welcome line. An earlier connection may have left half a line in the
    buffer. A `$` in it makes the line an error, so nothing moves; the second question is then
    understood.
    """
    for _ in range(2):
        try:
            answer = await questions.ask("$I", expects="[OPT:")
            return _read(answer, await questions.ask("$$"), name)
        except Refused as error:
            log.warning("%s does not identify itself: %s", questions.address, error)
    return None


def _read(answer: list[str], settings: list[str], name: str | None) -> ControllerInfo:
    values = dict(filter(None, map(reports.setting, settings)))
    homing = values.get(_HOMING)  # a bit mask in grblHAL; bit 0 switches it on
    build = next((line for line in answer if line.startswith("[VER:")), "").strip("[]")
    return ControllerInfo(
        reports.make(answer, name),
        inches=values.get(_REPORTS_IN_INCHES) == "1",
        homing=homing.isdecimal() and int(homing) % 2 == 1 if homing else None,
        build=build,
        settings=tuple((str(number), value) for number, value in sorted(values.items())),
    )
