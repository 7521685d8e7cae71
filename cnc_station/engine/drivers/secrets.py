"""Machines' passwords, as far as they are told.

They are kept with the machine's other settings, in the database: whatever station a machine is
moved to needs them, and nobody reads that database who has not got its own password. From there
only drivers get them. Whoever asks about a machine is told `KEPT` in their place, and gives that
back to leave them as they are. Some stand in an address: of that the password alone is not told.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.drivers import address, registry
from cnc_station.engine.views import KEPT


def mask() -> Callable[[str, Mapping[str, Any]], Mapping[str, Any]]:
    """A function from a driver's name and its settings to the settings as anybody may see them. Of
    a driver that is not installed here, any setting may be a password."""
    passwords = {
        info.name: frozenset(setting.name for setting in info.settings if setting.secret)
        for info in registry.infos()
    }

    def masked(driver: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        hidden = passwords.get(driver, settings.keys())
        return {name: KEPT if name in hidden else _told(settings[name]) for name in settings}

    return masked


def _told(value: Any) -> Any:
    return address.shown(value) if isinstance(value, str) else value


def completed(spec: MachineSpec, before: MachineSpec | None = None) -> MachineSpec:
    """With what is kept in place of `KEPT`; `before` is the machine as it is stored. Raises
    InvalidInput where nothing is kept for that driver."""
    left = [name for name, value in spec.settings.items() if KEPT in str(value)]
    if not left:
        return spec
    kept: Mapping[str, Any] = {}
    if before is not None and before.driver == spec.driver:
        kept = before.settings
    found = {name: _completed(str(spec.settings[name]), kept.get(name)) for name in left}
    if unknown := [name for name, value in found.items() if value is None]:
        raise InvalidInput(
            *(FieldError(f"settings.{name}", "is not kept: type it in") for name in unknown)
        )
    return replace(spec, settings={**spec.settings, **found})


def _completed(value: str, kept: Any) -> Any:
    """A setting, or an address, with what is kept in place of `KEPT`; None where nothing is."""
    if value == KEPT:
        return kept
    word = address.password(str(kept))
    return None if word is None else value.replace(KEPT, word)
