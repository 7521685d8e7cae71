"""What stations write to each other, in plain JSON: changes, and what their machines do.

A fleet is brought up to date one station after the other: what a letter says more than this
version knows is left out.
"""

from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from cnc_station.engine.views import Changes, Telemetry

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)  # what reading one may raise
_TELEMETRY = tuple(field.name for field in fields(Telemetry))
_values = attrgetter(*_TELEMETRY)


def of_telemetry(telemetry: Mapping[int, Telemetry]) -> dict[str, Any]:
    """By machine, what is known of each."""
    return {str(key): _plain(value) for key, value in telemetry.items()}


def _plain(telemetry: Telemetry) -> dict[str, Any]:
    """All plain numbers, so that nothing has to be copied in depth, which took a station with 200
    machines at work a quarter of its time."""
    named = zip(_TELEMETRY, _values(telemetry), strict=True)
    return {name: value for name, value in named if value is not None}


def telemetry(body: Mapping[str, Mapping[str, Any]]) -> dict[int, Telemetry]:
    """What another station's machines do."""
    return {
        int(key): Telemetry(**{name: value[name] for name in _TELEMETRY if name in value})
        for key, value in body.items()
    }


def of_changes(changes: Changes) -> dict[str, Any]:
    """What others have to know of them."""
    return {
        "jobs": sorted(changes.jobs),
        "machines": sorted(changes.machines),
        "programs": changes.programs,
        "stations": changes.stations,
        "everything": changes.everything,
    }


def changes(body: Mapping[str, Any]) -> Changes:
    """What another station has changed."""
    return Changes(
        frozenset(body["jobs"]),
        frozenset(body["machines"]),
        programs=body["programs"],
        stations=body["stations"],
        everything=body["everything"],
    )
