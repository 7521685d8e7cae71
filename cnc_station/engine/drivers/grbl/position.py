"""Whether the axis positions of a controller are known. GRBL counts steps from where it was
switched on, and reports only a restart and an alarm. All else is found by comparing reports:
position, work offset, settings, and the parser state ($G), which a reset clears."""

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnc_station.engine.domain.machine import Position, PositionBasis, PositionMemory
from cnc_station.engine.domain.nc import Program
from cnc_station.engine.drivers.grbl.modes import ParserState
from cnc_station.engine.drivers.grbl.questions import ControllerInfo
from cnc_station.engine.drivers.grbl.reports import Axes, Point

_UNWATCHED = "this station was not connected to it for a time: what happened is unknown"
_FOUND = "as found at the first connection"
_NEVER_HOMED = "it has not been homed"
_UNLOCKED = "unlocked without homing: its position is not certain"
_OFF_AND_ON = "it was reset, or switched off and on"
_NAMED_SETTINGS = 4  # how many changed settings are named


@dataclass(frozen=True, slots=True)
class Observation:
    """What a controller reported at one moment. `welcomed`: it restarted just before."""

    state: str
    axes: Axes | None
    offset: Axes | None
    parser: ParserState | None
    homed: bool | None
    welcomed: bool = False


class PositionTracker:
    """Decides whether the position is known. A doubt stays until homing or a confirmation.
    `position` is None if the controller was never reached."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self._mark = ""
        self._recalled = False  # the position comes from an earlier start of this program
        self._other_controller: str | None = None  # why it may be the controller of another machine
        self._last: Observation | None = None
        self._restart_suspected = False  # a restart is suspected since the last parser state

    def recall(self, memory: PositionMemory | None) -> None:
        if memory is not None:
            self.position, self._mark, self._recalled = memory.position, memory.mark, True

    def memory(self) -> PositionMemory | None:
        return None if self.position is None else PositionMemory(self.position, self._mark)

    def lose(self, reason: str) -> None:
        """Make the position unknown. The first reason stays; the history has the others."""
        if self.position is None or self.position.known:
            self.position = Position(PositionBasis.LOST, reason)

    def unlocked(self) -> None:
        before = self.position
        why = f" ({before.reason})" if before is not None and not before.known else ""
        if not why.startswith(f" ({_UNLOCKED}"):
            self.position = Position(PositionBasis.LOST, f"{_UNLOCKED}{why}")

    def homed(self) -> None:
        """It does not clear a doubt about the controller itself."""
        if self._other_controller is None:
            self.position = Position(PositionBasis.HOMED, "homed")

    def confirmed(self, info: ControllerInfo | None) -> None:
        """Handle a person's confirmation, for this controller and its present settings."""
        self.position = Position(PositionBasis.CONFIRMED, "work zero confirmed")
        self._other_controller = None
        self._mark = "" if info is None else _mark_of(info)

    def observe(self, now: Observation) -> bool:
        """Take over a report. Return whether the position changed without a motion."""
        before = self._last
        self._store(now)
        if before is None:
            return False
        if before.state == "Home" and now.state == "Idle":
            self.homed()
        elif before.state == "Alarm" and now.state not in ("Alarm", "Home"):
            self.unlocked()
        if before.homed is False and now.homed:
            self.homed()
        elif now.homed is False:
            self.lose(_NEVER_HOMED)
        stood = before.state in ("Idle", "")  # "": after a reset, at rest
        jumped = stood and now.state == "Idle" and before.axes != now.axes
        if jumped and now.axes is not None and not any(now.axes):  # all zero: its start position
            self.suspect_restart()
        return jumped

    def _store(self, now: Observation) -> None:
        before = self._last
        self._last = replace(
            now,
            parser=now.parser or (before.parser if before else None),
            offset=now.offset or (before.offset if before else None),
            welcomed=False,
        )

    def restarted(self) -> None:
        """Handle a restart: it has no feed rate, and homing was interrupted."""
        if self._last is not None:
            self._last = replace(self._last, state="", parser=None)

    def alarmed(self, reason: str) -> None:
        """Handle an alarm, which may come before a report shows it."""
        self.lose(reason)
        if self._last is not None:
            self._last = replace(self._last, state="Alarm")

    def suspect_restart(self) -> None:
        """Handle an unknown line, possibly a custom welcome line. It was one if the controller has
        no feed rate at the next check."""
        self._restart_suspected = True

    def compare(self, parser: ParserState | None) -> None:
        """Check that what a reset clears is still there in the idle controller."""
        before = self._last
        if before is None:
            return
        fresh = self._restart_suspected and parser is not None and parser.just_restarted
        self._restart_suspected = self._restart_suspected and parser is None
        if fresh or was_restarted(before.parser, parser):
            self.lose(f"{_OFF_AND_ON}: it has forgotten where the axes are")
        self._store(replace(before, parser=parser))

    def recognise(self, info: ControllerInfo) -> None:
        """Compare make and settings. A difference means another machine until a person confirms."""
        mark = _mark_of(info)
        if self._mark and (words := _differences(self._mark, mark)):
            self._other_controller = (
                f"another controller answers, or its settings have changed: {words}"
            )
            self.position = Position(PositionBasis.LOST, self._other_controller)
        elif not self._mark:
            self._mark = mark
        if self.position is not None and self.position.basis is PositionBasis.FOUND:
            self._check_homing(info)

    def _check_homing(self, info: ControllerInfo) -> None:
        """Require homing. A GRBL with homing is locked after a restart. grblHAL may be set up
        otherwise, and reports whether it was homed."""
        homed = self._last.homed if self._last else None
        if info.homing and info.make.hal and not homed:
            self.lose(_NEVER_HOMED)

    def connected(self, now: Observation, *, seamless: bool) -> None:
        """Handle a connection. `seamless`: this program closed a sound one only to reopen it."""
        if self.position is None:
            self.position = Position(PositionBasis.FOUND, _FOUND)
        elif self.position.known:
            self._check_gap(now, seamless=seamless)
        if now.homed is False:
            self.lose(_NEVER_HOMED)
        self._recalled = False
        self._store(now)

    def _check_gap(self, now: Observation, *, seamless: bool) -> None:
        if self._recalled or self._last is None:
            if now.homed and not now.welcomed:
                self.homed()  # from grblHAL's memory, which a power cut would have cleared
            else:
                self.lose(_UNWATCHED)
        elif now.welcomed or was_restarted(self._last.parser, now.parser):
            self.lose(f"{_OFF_AND_ON}, while it was not connected")
        elif not seamless and (doubt := _doubt(self._last, now)):
            self.lose(doubt)


def _doubt(before: Observation, now: Observation) -> str | None:
    """Return why the controller may have restarted or moved; None if there is no sign."""
    if now.axes != before.axes:
        return "its position differs from the last one reported"
    if before.offset is not None and now.offset is not None and now.offset != before.offset:
        return "its work offset differs from the last one reported"
    stands_off_zero = now.axes is not None and any(now.axes)
    if not stands_off_zero and (now.parser is None or now.parser.just_restarted):
        return "it may have been switched off and on while it was not connected"
    return None


def was_restarted(before: ParserState | None, now: ParserState | None) -> bool:
    """Return whether a controller was reset: a feed rate persists until a reset."""
    return (
        before is not None and now is not None and not before.just_restarted and now.just_restarted
    )


def _mark_of(info: ControllerInfo) -> str:
    return json.dumps(
        {"make": info.make.name, "build": info.build, "settings": dict(info.settings)}
    )


def _differences(before: str, now: str) -> str:
    try:
        old, new = json.loads(before), json.loads(now)
        if (old["make"], old["build"]) != (new["make"], new["build"]):
            return f"{new['make']} {new['build']} in place of {old['make']} {old['build']}"
        old_settings, new_settings = old["settings"], new["settings"]
    except (ValueError, KeyError, TypeError):
        return "it cannot be compared with the earlier one"
    numbers = sorted(old_settings.keys() | new_settings.keys(), key=int)
    differ = [n for n in numbers if old_settings.get(n) != new_settings.get(n)]
    named = [f"${n}={new_settings.get(n)} ({old_settings.get(n)} before)" for n in differ]
    more = f" and {len(differ) - _NAMED_SETTINGS} more" if len(differ) > _NAMED_SETTINGS else ""
    return ", ".join(named[:_NAMED_SETTINGS]) + more


_SAME_MM = 0.01  # reports have three decimals


def line_at(program: Program, lines: Sequence[int], place: Point, before: Point | None) -> int:
    """Return the line whose path is nearest to `place`, in the direction from `before`. If several
    are equally near, the earliest. An arc counts as its chord."""
    going = None if before is None else _minus(place, before)
    best, nearest = lines[0], math.inf
    for line in lines:
        moves = program.moves
        for row in range(bisect_left(moves.line, line), bisect_right(moves.line, line)):
            start, end = moves.end(row - 1), moves.end(row)
            along = _minus(end, start)
            if going is not None and _dot(along, going) < 0:
                continue
            distance = _distance(place, start, along)
            if distance < nearest - _SAME_MM:
                best, nearest = line, distance
    return best


def _distance(place: Point, start: Point, along: Point) -> float:
    length = _dot(along, along)
    share = _dot(_minus(place, start), along) / length if length else 0.0
    share = min(1.0, max(0.0, share))
    return math.dist(place, [a + share * b for a, b in zip(start, along, strict=True)])


def _minus(one: Point, other: Point) -> Point:
    return (one[0] - other[0], one[1] - other[1], one[2] - other[2])


def _dot(one: Point, other: Point) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
