"""The modes that a program assumes without stating them, as text."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.nc.preconditions import Assumption, Mode

_MODES: dict[str, str] = {
    "G21": "mm",
    "G90": "absolute",
    "G17": "XY plane",
    "G18": "ZX plane",
    "G94": "feed per minute",
    "G91.1": "arc centres from the start of the arc",
    "G40": "no cutter compensation",
    "G49": "no tool length offset",
    "G8": "X as a radius",
    "G7": "X as a diameter",
    "G95": "feed per revolution",
    "G99": "feed per revolution",
    "G50": "no scaling",
    "G69": "no rotation",
    "G97": "spindle in rpm",
    "G98": "cycles return to where they began",
    "G64": "rounded corners allowed",
}
# Programs seldom state these: only the full list shows them.
_SELDOM_STATED = frozenset({Mode.ARC_CENTRES, Mode.SCALING, Mode.ROTATION, Mode.SPINDLE, Mode.PATH})


def assumes(assumptions: Sequence[Assumption]) -> str:
    """`Assumes: mm, absolute, G54`; "" if the program states every mode that programs usually
    state."""
    modes = [_tr(_MODES.get(a.code, a.code)) for a in assumptions if a.mode not in _SELDOM_STATED]
    return _tr("Assumes: {modes}").format(modes=", ".join(modes)) if modes else ""


def assumes_in_full(assumptions: Sequence[Assumption]) -> str:
    """Every assumed mode, one a line, with its code."""
    if not assumptions:
        return ""
    lines = [_tr("The program does not state these before they matter:")]
    lines += [
        f"{a.code}  {_tr(_MODES[a.code])}" if a.code in _MODES else a.code for a in assumptions
    ]
    return "\n".join(lines)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Modes", text)
