"""A folder of back-ups as it is after a year."""

from pathlib import Path
from tempfile import gettempdir

from cnc_station.engine.commands import SetBackupPlan
from cnc_station.engine.domain.backup import DAY_MS, file_name
from cnc_station.engine.door import Door
from cnc_station.engine.queries import AboutStation, BackupsNow
from cnc_station.engine.timing import now_ms
from tests.until import until

_DAYS = (*range(1, 7), *range(7, 29, 7), *range(31, 360, 30))


async def fill_folder(door: Door) -> None:
    """Choose the folder, and wait until the station has thinned it out."""
    if door.peek(BackupsNow()).rows:
        return
    folder = Path(gettempdir()) / "media" / "shop-stick" / "back-ups"
    station = door.peek(AboutStation()).station
    _fill(folder, station)
    await door.execute(SetBackupPlan(str(folder), "02:00"))
    await until(lambda: door.peek(BackupsNow()).rows and door.peek(BackupsNow()).part is None)


def _fill(folder: Path, station: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for day in _DAYS:
        size = 48_000_000 - day * 100_000
        with (folder / file_name(station, now_ms() - day * DAY_MS)).open("wb") as file:
            file.truncate(size)
