"""How this station presents alerts: kept for each station, among the settings of the shop."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cnc_station.bundled import bundled
from cnc_station.engine.domain.alerts import Severity

MUTE_MS = 30 * 60_000


@dataclass(frozen=True, slots=True)
class StationAlerts:
    """`sounds`: a file of this computer by severity; without one the bundled sound is played.
    `player` "" is the preferred one, `device` "" the system's output. Before `muted_until` (ms) no
    sound is played."""

    desktop: bool = True
    sound: bool = True
    sounds: Mapping[str, str] = field(default_factory=dict)
    player: str = ""
    device: str = ""
    muted_until: int = 0

    def is_muted(self, now: int) -> bool:
        return now < self.muted_until

    def muted(self, until: int) -> "StationAlerts":
        return replace(self, muted_until=until)

    def with_sound(self, severity: Severity, path: str) -> "StationAlerts":
        """Play a file for a severity; "": the bundled sound."""
        sounds = {**self.sounds, severity.value: path}
        return replace(self, sounds={key: value for key, value in sounds.items() if value})

    def sound_of(self, severity: Severity, wanted: str = "") -> Path:
        """Return the file to play. `wanted` is the name that a rule gives: a bundled sound, or a
        file beside the station's own."""
        own = Path(self.sounds[severity]) if self.sounds.get(severity) else None
        if wanted and own is not None and own.with_name(wanted).is_file():
            return own.with_name(wanted)
        shipped = Path(str(bundled("sounds")))
        if wanted and (shipped / wanted).is_file():
            return shipped / wanted
        return own or shipped / f"{severity}.wav"

    def stored(self) -> Mapping[str, Any]:
        """Return it as a value for `SaveSettings`."""
        return asdict(self)


def setting_key(station: str) -> str:
    """Return the key of a station's `StationAlerts`."""
    return f"alerts.station.{station}"


def station_alerts(stored: object) -> StationAlerts:
    """Read a stored value; what this version does not know has its default."""
    values = stored if isinstance(stored, Mapping) else {}
    default = StationAlerts()
    known: dict[str, Any] = {}
    for name, now in asdict(default).items():
        value = values.get(name, now)
        known[name] = value if type(value) is type(now) else now
    sounds = known["sounds"].items()
    known["sounds"] = {key: path for key, path in sounds if isinstance(path, str)}
    return StationAlerts(**known)
