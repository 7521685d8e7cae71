"""The modes that a controller keeps between programs, and which to set before a program."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.nc.preconditions import GROUPS, READ_WITH, Mode
from cnc_station.engine.domain.nc.program import Program
from cnc_station.engine.drivers.base import NotReady

_STATE = re.compile(r"\[GC:(.*)\]")
_TOOL_LENGTH = re.compile(r"\[TLO:([-\d.,]+)\]")
_PRESET = re.compile(r"\[G92:([-\d.,]+)\]")

# A code that a controller never reports is fixed: GRBL 1.1 has only one arc centre mode, scaling
# mode and return level. The path mode is not changed.
_GROUPS: dict[Mode, frozenset[str]] = {
    mode: group for mode, group in GROUPS.items() if mode is not Mode.PATH
}
# All controllers of this kind report these.
_ALWAYS_REPORTED = (Mode.UNITS, Mode.DISTANCE, Mode.PLANE, Mode.WORK_OFFSET, Mode.FEED)


@dataclass(frozen=True, slots=True)
class ParserState:
    """The answer to `$G`: the active codes, and the last feed rate in the controller's unit."""

    codes: frozenset[str]
    feed: float

    @property
    def just_restarted(self) -> bool:
        """Whether it may have restarted just now: it then has no feed rate."""
        return self.feed == 0


@dataclass(frozen=True, slots=True)
class Offsets:
    """What a reset clears, from the answer to `$#`. Whether a G92 offset and a tool length offset
    are active; None if not reported."""

    preset: bool | None = None
    tool_length: bool | None = None

    @property
    def cleared_by_reset(self) -> bool | None:
        """Whether a zero is active that a reset would clear; None if unknown."""
        if self.preset or self.tool_length:
            return True
        return None if self.preset is None else False


def parser_state(lines: Sequence[str]) -> ParserState | None:
    """Return the parser state from the answer to `$G`; None if the answer has none."""
    for line in lines:
        if found := _STATE.match(line):
            words = found[1].split()
            feeds = [word[1:] for word in words if word[0] == "F"]
            try:
                feed = float(feeds[0]) if feeds else 0.0
            except ValueError:
                return None
            return ParserState(frozenset(word for word in words if word[0] in "GM"), feed)
    return None


def offsets(lines: Sequence[str]) -> Offsets:
    """Return the offsets from the answer to `$#`."""
    text = "\n".join(lines)
    return Offsets(_any_set(_PRESET.search(text)), _any_set(_TOOL_LENGTH.search(text)))


def _any_set(found: re.Match[str] | None) -> bool | None:
    if found is None:
        return None
    try:
        return any(float(number) for number in found[1].split(","))
    except ValueError:
        return None


def to_set(
    program: Program | None, state: ParserState, stored: Offsets
) -> tuple[tuple[str, str], ...]:
    """Return the codes to send before a program, each with the active code it replaces. Raises
    NotReady if a required mode cannot be set without a decision by a person."""
    changes = []
    for assumption in READ_WITH if program is None else program.assumes:
        group = _GROUPS.get(assumption.mode)
        if group is None:
            continue
        in_force = sorted(state.codes & group)
        if not in_force and assumption.mode in _ALWAYS_REPORTED:
            raise NotReady(f"the controller does not report its {assumption.mode}")
        if assumption.mode is Mode.TOOL_LENGTH:
            if stored.tool_length or (in_force and in_force != ["G49"]):
                raise NotReady(
                    "a tool length offset is in force, and the program does not say whether it"
                    " counts: cancel it (G49), or have the program state it"
                )
        elif in_force and assumption.code not in in_force:
            changes.append((assumption.code, in_force[0]))
    return tuple(changes)
