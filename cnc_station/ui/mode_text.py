"""What a program takes for granted, as a machinist says it."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.nc.preconditions import Assumption, Mode

_SAID: dict[str, str] = {
    "G21": "mm",
    "G90": "absolute",
    "G17": "XY plane",
    "G18": "ZX plane",
    "G94": "feed per minute",
    "G91.1": "arc centres from the start of the arc",
    "G40": "no cutter compensation",
    "G49": "no tool length offset",
    "G8": "X as a radius",
    "G50": "no scaling",
    "G69": "no rotation",
    "G97": "spindle in rpm",
    "G98": "cycles return to where they began",
    "G64": "rounded corners allowed",
}
# Hardly any program states these: they stand in the full list only.
_SELDOM_STATED = frozenset({Mode.ARC_CENTRES, Mode.SCALING, Mode.ROTATION, Mode.SPINDLE, Mode.PATH})


def assumes(assumptions: Sequence[Assumption]) -> str:
    """`Assumes: mm, absolute, G54`; "" for a program that states what programs usually state."""
    said = [_said(assumed.code) for assumed in assumptions if assumed.mode not in _SELDOM_STATED]
    return _tr("Assumes: {modes}").format(modes=", ".join(said)) if said else ""


def assumes_in_full(assumptions: Sequence[Assumption]) -> str:
    """Every mode that is assumed, one a line, with its code."""
    if not assumptions:
        return ""
    listed = "\n".join(_with_code(assumed.code) for assumed in assumptions)
    return "\n".join((_tr("The program does not state these before they matter:"), listed))


def _said(code: str) -> str:
    return _tr(_SAID[code]) if code in _SAID else code


def _with_code(code: str) -> str:
    return f"{code}  {_tr(_SAID[code])}" if code in _SAID else code


def _tr(text: str) -> str:
    return QCoreApplication.translate("Modes", text)
