"""What a back-up is: its name, its manifest, and which back-ups are kept."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Self

FORMAT = 1
MANIFEST, SETTINGS = "manifest.json", "settings.toml"
ENDING = ".zip"
DAYS, WEEKS, MONTHS = 7, 4, 12
DAY_MS = 86_400_000
OLD_MS = 26 * 3_600_000  # a day, with the hour of the clock's change and one to make the next
DEFAULT_TIME = "02:00"
_BEGINNING = "cnc-station_"
_TIME = "%Y-%m-%dT%H%M%SZ"
_NAME = re.compile(rf"{_BEGINNING}(.+)_(\d{{4}}-\d\d-\d\dT\d{{6}}Z)\{ENDING}")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_MOST_STATION = 40  # characters of a station's name in the name of a file


class NotAManifest(ValueError):
    """The text is not the manifest of a back-up. The message completes "it is damaged: …"."""


class NewerFormat(ValueError):
    """The back-up was made by a newer program."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a back-up."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a database holds: its jobs by state, and how many machines and programs."""

    jobs: Mapping[str, int]
    machines: int
    programs: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a back-up says of itself. `database` is the member with the database: a file of SQLite
    or a dump of PostgreSQL. `left_out` are the secrets that a restored station must be given
    again."""

    version: str
    schema: str
    station: str
    created_at: int
    database: str
    content: Content
    left_out: tuple[str, ...]
    members: tuple[Member, ...]

    def to_json(self) -> str:
        """Return the text of the manifest."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the text of a manifest. Raises NotAManifest, NewerFormat."""
        try:
            found = json.loads(text)
            if found["format"] > FORMAT:
                raise NewerFormat
            manifest = cls._of(found)
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise NotAManifest("its list of contents is not valid") from error
        except json.JSONDecodeError as error:
            raise NotAManifest("its list of contents can't be read") from error
        names = [member.name for member in manifest.members]
        if manifest.database not in names or len(set(names)) < len(names):
            raise NotAManifest("its list of contents names no database")
        return manifest

    @classmethod
    def _of(cls, found: Mapping[str, Any]) -> Self:
        content = found["content"]
        return cls(
            version=_text(found["version"]),
            schema=_text(found["schema"]),
            station=_text(found["station"]),
            created_at=_count(found["created_at"]),
            database=_text(found["database"]),
            content=Content(
                {_text(state): _count(count) for state, count in content["jobs"].items()},
                _count(content["machines"]),
                _count(content["programs"]),
            ),
            left_out=tuple(_text(name) for name in found["left_out"]),
            members=tuple(
                Member(_text(one["name"]), _count(one["size"]), _text(one["sha256"]))
                for one in found["members"]
            ),
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise TypeError
    return value


def file_name(station: str, at: int) -> str:
    """Return the name of a back-up: its station, and its time in UTC."""
    moment = dt.datetime.fromtimestamp(at // 1000, dt.UTC)
    return f"{_BEGINNING}{_in_name(station)}_{moment.strftime(_TIME)}{ENDING}"


def time_of(name: str, station: str) -> int | None:
    """Return when a back-up of a station was made, by its file name. None for any other file."""
    found = _NAME.fullmatch(name)
    if found is None or found[1] != _in_name(station):
        return None
    try:
        moment = dt.datetime.strptime(found[2], _TIME).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000


def _in_name(station: str) -> str:
    """Return a station's name as every file system takes it. Two stations never share one."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", station).strip("-")[:_MOST_STATION]
    return plain if plain == station else f"{plain}-{sha256(station.encode()).hexdigest()[:8]}"


def kept(times: Iterable[int], zone: dt.tzinfo | None = None) -> frozenset[int]:
    """Return the times of the back-ups to keep: the newest one of each of the last 7 days, 4 weeks
    and 12 months that have one. A day without a back-up does not count, so that a station that
    stood still for months loses none."""
    newest_first = sorted(set(times), reverse=True)
    rules: tuple[tuple[int, Callable[[dt.datetime], object]], ...] = (
        (DAYS, dt.datetime.date),
        (WEEKS, lambda moment: moment.isocalendar()[:2]),
        (MONTHS, lambda moment: (moment.year, moment.month)),
    )
    keep: set[int] = set()
    for most, span_of in rules:
        spans: dict[object, int] = {}
        for at in newest_first:
            spans.setdefault(span_of(dt.datetime.fromtimestamp(at / 1000, zone)), at)
        keep.update([*spans.values()][:most])
    return frozenset(keep)


def clock_of(text: str) -> str:
    """Return a time of the day as `02:00`. Raises ValueError."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be a time of the day such as 02:00")
    return f"{int(found[1]):02}:{found[2]}"


def due_at(clock: str, now: int, zone: dt.tzinfo | None = None) -> int:
    """Return the last moment (ms) at which the daily back-up was due: a back-up from before it is
    to be followed by another one."""
    hour, minute = map(int, clock.split(":"))
    here = dt.datetime.fromtimestamp(now / 1000, zone)
    due = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if int(due.timestamp() * 1000) > now:
        due -= dt.timedelta(days=1)
    return int(due.timestamp() * 1000)
