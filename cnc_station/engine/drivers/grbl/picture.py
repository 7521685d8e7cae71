"""The state of a controller, collected from reports that each contain only a part of it."""

from dataclasses import replace

from cnc_station.engine.drivers.grbl.reports import Point, Report

_MM_PER_INCH = 25.4


class Picture:
    """The reported state of a controller.

    `report` is the latest, in the controller's unit. `overrides`, `homed` and `offset` (WCO) are
    the last ones reported. `alarm` is the number of its present alarm, if known.
    """

    def __init__(self) -> None:
        self.report = Report("Idle")
        self.overrides: tuple[float, float, float] | None = None
        self.alarm: int | None = None
        self.homed: bool | None = None
        self.inches = False
        self.offset: Point | None = None
        self._most_free: int | None = None

    def take(self, report: Report) -> None:
        """Take over a new report."""
        self.offset = report.offset or self.offset
        self.homed = self.homed if report.homed is None else report.homed
        self.overrides = report.overrides or self.overrides
        if report.blocks_free is not None:
            self._most_free = max(self._most_free or 0, report.blocks_free)
        if report.state != "Alarm":
            self.alarm = None
        self.report = report

    def take_alarm(self, code: int) -> None:
        """Take over an alarm. It replaces a report: after some alarms none comes."""
        self.alarm = code
        self.report = replace(self.report, state="Alarm", sub=None, feed=0.0)

    def forget(self) -> None:
        """Forget what a reset clears. The controller reports it again."""
        self.offset = self.overrides = self.homed = None

    @property
    def blocks_waiting(self) -> int | None:
        """Motions in the planner; None if not reported."""
        free = self.report.blocks_free
        return None if free is None or self._most_free is None else self._most_free - free

    @property
    def place(self) -> Point | None:
        """Position in work coordinates, mm; None until enough was reported."""
        report = self.report
        place = report.work
        if place is None and report.machine is not None and self.offset is not None:
            x, y, z = (a - b for a, b in zip(report.machine, self.offset, strict=True))
            place = (x, y, z)
        if place is not None and self.inches:
            return (place[0] * _MM_PER_INCH, place[1] * _MM_PER_INCH, place[2] * _MM_PER_INCH)
        return place

    @property
    def feed(self) -> float | None:
        """Feed rate in mm/min."""
        feed = self.report.feed
        return feed * _MM_PER_INCH if feed is not None and self.inches else feed
