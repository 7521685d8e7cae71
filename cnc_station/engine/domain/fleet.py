"""The servers of a fleet, as a person enters them."""

from dataclasses import dataclass, field
from typing import ClassVar

from cnc_station.engine.domain.admission import Text

_ADDRESS = Text(2_000)
_SECRET = Text(1_000)


@dataclass(frozen=True, slots=True)
class FleetServers:
    """An address may be the name of a server alone. Passwords are those that it does not contain;
    "": none. Without `redis_url` stations notice work later. `station` is the name of this one in
    the fleet; "": as it is."""

    TEXTS: ClassVar = {
        "database_url": _ADDRESS,
        "database_password": _SECRET,
        "redis_url": _ADDRESS,
        "redis_password": _SECRET,
        "station": Text(60),
    }

    database_url: str = field(repr=False)
    database_password: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    redis_password: str = field(default="", repr=False)
    station: str = ""

    def full_database_url(self) -> str:
        """Return the address in full: `server` is the database `cnc` of the user `cnc` there."""
        given = self.database_url.strip()
        if not given or "://" in given:
            return given
        user = "" if "@" in given else "cnc@"
        return f"postgresql://{user}{given}{'' if '/' in given else '/cnc'}"

    def full_redis_url(self) -> str:
        """Return the address in full; "" if there is none."""
        given = self.redis_url.strip()
        return f"redis://{given}" if given and "://" not in given else given
