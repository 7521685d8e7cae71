"""What an event tells of a change: the values before and after it."""

import json
from collections.abc import Mapping
from typing import Any

from cnc_station.engine.domain.text_gate import visible

MOST_TOLD = 200  # characters of a value


def before_after(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return details with the values that differ. None: there was nothing before, or there is
    nothing after. The caller leaves out what is secret."""
    old, new = before or {}, after or {}
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    told: dict[str, Any] = {}
    if before is not None:
        told["before"] = {name: _told(old.get(name)) for name in changed}
    if after is not None:
        told["after"] = {name: _told(new.get(name)) for name in changed}
    return told


def _told(value: Any) -> Any:
    """Return a value as it is told: whole if it is short, otherwise the beginning of its text."""
    if isinstance(value, str):
        return visible(value, MOST_TOLD)
    written = json.dumps(value)
    return value if len(written) <= MOST_TOLD else visible(written, MOST_TOLD)
