"""Passwords of machines, hidden from everyone except drivers. The database stores them with the
other settings, because any station that a machine moves to needs them. Others see `KEPT` in their
place (in an address: of the password), and return `KEPT` to leave them unchanged."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.unreachable import password, shown
from cnc_station.engine.views import KEPT


def mask() -> Callable[[str, Mapping[str, Any]], Mapping[str, Any]]:
    """Return a function that hides the passwords in a driver's settings. Every setting of a driver
    that is not installed here may be a password."""
    passwords = {
        info.name: frozenset(setting.name for setting in info.settings if setting.secret)
        for info in registry.infos()
    }

    def masked(driver: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        hidden = passwords.get(driver, settings.keys())
        return {
            name: KEPT if name in hidden else _without_password(settings[name]) for name in settings
        }

    return masked


def _without_password(value: Any) -> Any:
    return shown(value) if isinstance(value, str) else value


def completed(spec: MachineSpec, before: MachineSpec | None = None) -> MachineSpec:
    """Replace `KEPT` by the stored values; `before` is the machine as stored. Raises InvalidInput
    if nothing is stored for that driver."""
    left = [name for name, value in spec.settings.items() if KEPT in str(value)]
    if not left:
        return spec
    kept: Mapping[str, Any] = {}
    if before is not None and before.driver == spec.driver:
        kept = before.settings
    found = {name: _completed(str(spec.settings[name]), kept.get(name)) for name in left}
    if unknown := [name for name, value in found.items() if value is None]:
        raise InvalidInput(
            *(FieldError(f"settings.{name}", "is not stored: enter it again") for name in unknown)
        )
    return replace(spec, settings={**spec.settings, **found})


def _completed(value: str, kept: Any) -> Any:
    """Return a setting, or an address, with its stored value; None if nothing is stored."""
    if value == KEPT:
        return kept
    word = password(str(kept))
    return None if word is None else value.replace(KEPT, word)
