"""Modes and switches in MTConnect's terms, and which of them do not cut a part. Optional stop only
interrupts a program. Single block may be a check of the program: a person has to decide."""

from collections.abc import Mapping

from cnc_station.engine.drivers.reported import Doubt

# ControllerMode.
NOT_READY: Mapping[str, str] = {
    "MANUAL": "in manual mode",
    "MANUAL_DATA_INPUT": "in manual data input",
    "EDIT": "a program is being edited",
}
_MODES: Mapping[str, Doubt] = {
    "MANUAL": Doubt("the machine is in manual mode", "ran in manual mode", by_hand=True),
    "MANUAL_DATA_INPUT": Doubt("the machine is in MDI", "ran in MDI", by_hand=True),
    "EDIT": Doubt("a program is being edited", "ran while a program was edited", by_hand=True),
    "SEMI_AUTOMATIC": Doubt("single block is on", "single block was on"),
}
_CUTTING = frozenset(("AUTOMATIC", "AUTO"))
# FunctionalMode: the use of the machine.
_PURPOSES: Mapping[str, Doubt] = {
    "SETUP": Doubt("the machine is being set up", "the machine was being set up"),
    "TEARDOWN": Doubt("the machine is being torn down", "the machine was being torn down"),
    "MAINTENANCE": Doubt("the machine is in maintenance", "the machine was in maintenance"),
    "PROCESS_DEVELOPMENT": Doubt("the process is being tried", "the process was being tried"),
}
_DRY = Doubt("dry run is on", "dry run was on")
_LOCK = Doubt("the axes are locked", "the axes were locked")
_Z_LOCK = Doubt("the Z axis is locked", "the Z axis was locked")
_AUXILIARY = Doubt("auxiliary functions are locked", "auxiliary functions were locked")
_SINGLE = Doubt("single block is on", "single block was on")
_TEST = Doubt("program test is on", "program test was on")
# Subtypes of ControllerModeOverride, and own types of older agents and vendors.
OVERRIDES: Mapping[str, Doubt] = {
    "DRYRUN": _DRY,
    "MACHINEAXISLOCK": _LOCK,
    "MACHINELOCK": _LOCK,
    "AXISLOCK": _LOCK,
    "AXESLOCK": _LOCK,
    "ZLOCK": _Z_LOCK,
    "ZAXISLOCK": _Z_LOCK,
    "ZAXISCANCEL": _Z_LOCK,
    "MSTLOCK": _AUXILIARY,
    "AUXLOCK": _AUXILIARY,
    "AUXILIARYLOCK": _AUXILIARY,
    "AUXILIARYFUNCTIONLOCK": _AUXILIARY,
    "SINGLEBLOCK": _SINGLE,
    "SINGLESTEP": _SINGLE,
    "PROGRAMTEST": _TEST,
    "PROGRAMCHECK": _TEST,
    "TESTMODE": _TEST,
    "TESTRUN": _TEST,
}
_ON = frozenset(("ON", "TRUE", "1", "YES", "ACTIVE", "ENABLED"))
_OFF = frozenset(("OFF", "FALSE", "0", "NO", "INACTIVE", "DISABLED"))
UNKNOWN = Doubt("the machine does not report its mode", "the machine did not report its mode")


def override(kind: str, sub_type: str) -> str | None:
    """Return the switch that a data item is; None if it cannot spoil a part."""
    name = _plain(kind)
    switch = _plain(sub_type) if name == "CONTROLLERMODEOVERRIDE" else name
    return switch if switch in OVERRIDES else None


def mode_doubt(value: str) -> Doubt | None:
    """Return the doubt of a ControllerMode, in any spelling. An unknown mode is doubtful too."""
    code = value.strip().upper().replace(" ", "_")
    if code in _CUTTING:
        return None
    words = f"mode {value[:40]}"
    return _MODES.get(code, Doubt(f"the machine is in {words}", f"ran in {words}"))


def purpose_doubt(value: str) -> Doubt | None:
    """Return the doubt of a FunctionalMode."""
    return _PURPOSES.get(value.strip().upper().replace(" ", "_"))


def switched(value: str, *, before: bool) -> bool:
    """Return whether a switch is on. A value that is neither on nor off changes nothing."""
    code = value.strip().upper()
    return code in _ON or (before and code not in _OFF)


def _plain(name: str) -> str:
    """Return a name without a vendor's prefix, in capitals, as one word: x:DryRun is DRYRUN."""
    return "".join(filter(str.isalnum, name.rpartition(":")[2])).upper()
