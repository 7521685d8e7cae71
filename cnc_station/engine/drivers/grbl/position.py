"""What is known of where one controller's axes are, and what speaks against it.

GRBL counts steps from wherever its axes stood when it was switched on. It says by itself only that
it has come up anew and that it is in alarm; the rest is found by comparing what it shows now with
what it showed last: the place, the work offset, its settings, and the parser state ($G), which a
reset clears.
"""

import json
from dataclasses import dataclass, replace

from cnc_station.engine.domain.position import Position, PositionBasis, PositionMemory
from cnc_station.engine.drivers.grbl.identity import Who
from cnc_station.engine.drivers.grbl.modes import ParserState
from cnc_station.engine.drivers.grbl.reports import Axes

_UNWATCHED = "this station was not connected to it meanwhile: nobody saw what happened to it"
_FOUND = "as it stood when it was first connected"
_NEVER_HOMED = "it has not been homed"
_UNLOCKED = "unlocked without homing: its position is not certain"
_OFF_AND_ON = "it was reset, or switched off and on"
_NAMED_SETTINGS = 4  # how many that differ are named


@dataclass(frozen=True, slots=True)
class Sight:
    """What a controller showed at one moment. `greeted`: it came up anew just before."""

    state: str
    axes: Axes | None
    offset: Axes | None
    parser: ParserState | None
    homed: bool | None
    greeted: bool = False


class PositionWatch:
    """Decides what is known. Every doubt stays until homing is seen or a person confirms.

    `position` None: the controller was never reached, in this life or an earlier one.
    """

    def __init__(self) -> None:
        self.position: Position | None = None
        self._mark = ""
        self._recalled = False  # what is known is of an earlier life
        self._stranger: str | None = None  # why the controller may be another machine's
        self._last: Sight | None = None
        self._hinted = False  # something looked like a restart since its parser state was asked for

    # --- what an earlier life knew ---

    def recall(self, memory: PositionMemory | None) -> None:
        """See `Driver.recall`."""
        if memory is not None:
            self.position, self._mark, self._recalled = memory.position, memory.mark, True

    def memory(self) -> PositionMemory | None:
        """See `Driver.memory`."""
        return None if self.position is None else PositionMemory(self.position, self._mark)

    # --- what has happened ---

    def lose(self, reason: str) -> None:
        """The first doubt stays, for it tells most; a person reads the rest in the history."""
        if self.position is None or self.position.known:
            self.position = Position(PositionBasis.LOST, reason)

    def unlocked(self) -> None:
        """Out of an alarm without homing."""
        before = self.position
        why = f" ({before.reason})" if before is not None and not before.known else ""
        if not why.startswith(f" ({_UNLOCKED}"):
            self.position = Position(PositionBasis.LOST, f"{_UNLOCKED}{why}")

    def homed(self) -> None:
        """Seen while it did. A controller that may be another machine's can home as well."""
        if self._stranger is None:
            self.position = Position(PositionBasis.HOMED, "homed")

    def confirmed(self, who: Who | None) -> None:
        """By a person, for this controller as it is now."""
        self.position = Position(PositionBasis.CONFIRMED, "work zero confirmed")
        self._stranger = None
        self._mark = "" if who is None else _mark_of(who)

    def show(self, now: Sight) -> bool:
        """The latest, to be compared with after a gap. Returns whether it has left its place
        without having been seen to move."""
        before = self._last
        self._keep(now)
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
        stood = before.state in ("Idle", "")  # "": reset, at rest
        jumped = stood and now.state == "Idle" and before.axes != now.axes
        if jumped and now.axes is not None and not any(now.axes):  # where it begins to count
            self.hint()
        return jumped

    def _keep(self, now: Sight) -> None:
        before = self._last
        self._last = replace(
            now,
            parser=now.parser or (before.parser if before else None),
            offset=now.offset or (before.offset if before else None),
            greeted=False,
        )

    def came_up(self) -> None:
        """After a reset, whoever made it: it has no feed rate, and has broken off its homing."""
        if self._last is not None:
            self._last = replace(self._last, state="", parser=None)

    def alarmed(self, reason: str) -> None:
        """Heard, perhaps before any report shows it."""
        self.lose(reason)
        if self._last is not None:
            self._last = replace(self._last, state="Alarm")

    def hint(self) -> None:
        """It said something nobody can read: perhaps a welcome of its own. If it has no feed rate
        when it is next asked, it was one."""
        self._hinted = True

    def compare(self, parser: ParserState | None) -> None:
        """Its parser state, asked for while it is idle: what a reset clears must still be there."""
        before = self._last
        if before is None:
            return
        fresh = self._hinted and parser is not None and parser.fresh
        self._hinted = self._hinted and parser is None
        if fresh or restarted(before.parser, parser):
            self.lose(f"{_OFF_AND_ON}: it has forgotten where the axes are")
        self._keep(replace(before, parser=parser))

    # --- who it is, and what it shows after a gap ---

    def recognise(self, who: Who) -> None:
        """Another make or other settings: another machine, until a person says otherwise."""
        mark = _mark_of(who)
        if self._mark and (words := _differences(self._mark, mark)):
            self._stranger = f"another controller, or one set up otherwise, answers: {words}"
            self.position = Position(PositionBasis.LOST, self._stranger)
        elif not self._mark:
            self._mark = mark
        if self.position is not None and self.position.basis is PositionBasis.FOUND:
            self._check_homing(who)

    def _check_homing(self, who: Who) -> None:
        """A GRBL that homes is locked when it comes up. grblHAL may be set up not to be, and tells
        whether it was homed."""
        homed = self._last.homed if self._last else None
        if who.homing and who.make.hal and not homed:
            self.lose(_NEVER_HOMED)

    def connected(self, now: Sight, *, seamless: bool) -> None:
        """Reached, for the first time or again. `seamless`: this program has let go of a sound
        connection only to make it anew."""
        if self.position is None:
            self.position = Position(PositionBasis.FOUND, _FOUND)
        elif self.position.known:
            self._check_gap(now, seamless=seamless)
        if now.homed is False:
            self.lose(_NEVER_HOMED)
        self._recalled = False
        self._keep(now)

    def _check_gap(self, now: Sight, *, seamless: bool) -> None:
        if self._recalled or self._last is None:
            if now.homed and not now.greeted:
                self.homed()  # in grblHAL's own memory, which a power cut would have cleared
            else:
                self.lose(_UNWATCHED)
        elif doubt := _restart(self._last, now) or (None if seamless else _doubt(self._last, now)):
            self.lose(doubt)


def _restart(before: Sight, now: Sight) -> str | None:
    """How it shows that this is another boot."""
    again = now.greeted or restarted(before.parser, now.parser)
    return f"{_OFF_AND_ON}, while it was not connected" if again else None


def _doubt(before: Sight, now: Sight) -> str | None:
    """Why this may not be the same boot, at the same place."""
    if now.axes != before.axes:
        return "it stands elsewhere than when it was last seen"
    if before.offset is not None and now.offset is not None and now.offset != before.offset:
        return "its work offset is another than when it was last seen"
    stands_off_zero = now.axes is not None and any(now.axes)
    if not stands_off_zero and (now.parser is None or now.parser.fresh):
        return "it may have been switched off and on while it was not connected"
    return None


def restarted(before: ParserState | None, now: ParserState | None) -> bool:
    """Whether a controller has forgotten what it kept: a feed rate stays until a reset."""
    return before is not None and now is not None and not before.fresh and now.fresh


def _mark_of(who: Who) -> str:
    return json.dumps({"make": who.make.name, "build": who.build, "settings": dict(who.settings)})


def _differences(before: str, now: str) -> str:
    """In words; empty if there are none."""
    try:
        old, new = json.loads(before), json.loads(now)
        if (old["make"], old["build"]) != (new["make"], new["build"]):
            return f"{new['make']} {new['build']} where {old['make']} {old['build']} was"
        old_settings, new_settings = old["settings"], new["settings"]
    except (ValueError, KeyError, TypeError):
        return "it can't be compared with the one before"
    numbers = sorted(old_settings.keys() | new_settings.keys(), key=int)
    differ = [n for n in numbers if old_settings.get(n) != new_settings.get(n)]
    named = [f"${n}={new_settings.get(n)} ({old_settings.get(n)} before)" for n in differ]
    more = f" and {len(differ) - _NAMED_SETTINGS} more" if len(differ) > _NAMED_SETTINGS else ""
    return ", ".join(named[:_NAMED_SETTINGS]) + more
