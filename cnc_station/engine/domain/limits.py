"""Limits on what one account creates and starts, so that nobody fills the queue of all.

A rate is counted in a sliding window: at most `count` attempts in any `window_s` seconds.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cnc_station.engine.domain.errors import LimitReached
from cnc_station.engine.domain.principal import Role

CREATE, ACTIVE, RUN = "create", "active", "run"
NAMES = (CREATE, ACTIVE, RUN)
MOST_COUNT, LONGEST_WINDOW_S = 1_000_000, 86_400
_UNITS: Mapping[str, int] = {"s": 1, "min": 60, "h": 3_600}
_RATE = re.compile(r"(\d{1,7})\s*/\s*(\d{0,5})\s*(s|min|h)")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` attempts in `window_s`."""

    count: int
    window_s: int

    def __str__(self) -> str:
        unit = next(u for u in ("h", "min", "s") if self.window_s % _UNITS[u] == 0)
        number = self.window_s // _UNITS[unit]
        return f"{self.count}/{number if number > 1 else ''}{unit}"


def rate(text: str) -> Rate | None:
    """Return the rate of a text such as "10/min" or "100/15min"; None for "0", which is no limit.
    Raises ValueError."""
    plain = text.strip()
    if plain == "0":
        return None
    found = _RATE.fullmatch(plain)
    if found is None:
        raise ValueError("must be a rate such as 10/min or 100/15min, or 0 for no limit")
    count, window_s = int(found[1]), int(found[2] or "1") * _UNITS[found[3]]
    if not 0 < count <= MOST_COUNT or not 0 < window_s <= LONGEST_WINDOW_S:
        raise ValueError(f"must allow 1 to {MOST_COUNT:,} in at most a day")
    return Rate(count, window_s)


def most_active(text: str) -> int | None:
    """Return the number of active jobs of a text; None for "0", which is no limit. Raises
    ValueError."""
    plain = text.strip()
    if not plain.isascii() or not plain.isdigit() or int(plain) > MOST_COUNT:
        raise ValueError(f"must be a whole number up to {MOST_COUNT:,}, 0 for no limit")
    return int(plain) or None


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts for one account; None: no limit. `create` are attempts to create jobs, `active`
    its jobs that are pending or running, `run` its jobs that are put first in the queue."""

    create: Rate | None = None
    active: int | None = None
    run: Rate | None = None


@dataclass(frozen=True, slots=True)
class LimitRules:
    """The limits of the settings: of everybody, and by role where they differ. `local`: they also
    count for people at a station."""

    everybody: Limits = field(default_factory=lambda: Limits(Rate(10, 60), 5, Rate(100, 15 * 60)))
    by_role: Mapping[Role, Mapping[str, Rate | int | None]] = field(default_factory=dict)
    local: bool = False

    def of(self, role: str, tenant: Mapping[str, str]) -> Limits:
        """Return what counts for a role, and a tenant with limits of its own (as text)."""
        own = self.by_role.get(Role(role), {}) if role in set(Role) else {}
        limits = replace(self.everybody, **own)  # type: ignore[arg-type]  # by the names of fields
        return replace(limits, **read(tenant))  # type: ignore[arg-type]  # likewise


def rate_reached(limit: str, rate: Rate, wait_s: float) -> LimitReached:
    """Return the refusal of an attempt that would exceed a rate."""
    seconds = max(math.ceil(wait_s), 1)
    what = "jobs may be created" if limit == CREATE else "jobs may be put first"
    words = f"At most {rate} {what}: try again in {seconds} s."
    return LimitReached(words, limit, retry_after_s=seconds)


def active_reached(most: int, active: int) -> LimitReached:
    """Return the refusal of a job beside so many active ones."""
    words = f"At most {most} jobs of one person may be active, and {active} are: let one end first."
    return LimitReached(words, ACTIVE, count=active)


def read(texts: Mapping[str, str]) -> Mapping[str, Rate | int | None]:
    """Return limits by name. Raises ValueError for one that is not valid, and for other names."""
    if unknown := texts.keys() - set(NAMES):
        raise ValueError(f"there is no limit {min(unknown)!r}: only {', '.join(NAMES)}")
    return {
        name: most_active(text) if name == ACTIVE else rate(text) for name, text in texts.items()
    }


def by_role(text: str) -> tuple[str, Mapping[Role, str]]:
    """Split a setting such as "10/min, supervisor 60/min, administrator 0" into what counts for
    everybody and for the roles that it names. Raises ValueError."""
    everybody, own = "", {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        word, _, rest = part.partition(" ")
        if word in set(Role):
            own[Role(word)] = rest.strip()
        elif everybody:
            raise ValueError(f"{part!r} must begin with a role: {', '.join(Role)}")
        else:
            everybody = part
    if not everybody:
        raise ValueError("must begin with the limit of everybody")
    return everybody, own
