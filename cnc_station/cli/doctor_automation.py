"""Count what schedules and webhooks have to do. The file is only read; on a server, the window's
pages show it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from cnc_station.cli.invocation import Call, Diagnosis


def automation(call: Call) -> Iterator[Diagnosis]:
    """Count the schedules, and the deliveries of webhooks by state."""
    path = call.config.database_path
    if path is None or not path.is_file():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            tables = {name for (name,) in opened.execute("SELECT name FROM sqlite_master")}
            if "schedule" in tables:
                yield _schedules(opened)
            if "delivery" in tables:
                yield _deliveries(opened)
    except sqlite3.Error:
        return  # the check of the database says why


def _schedules(opened: sqlite3.Connection) -> Diagnosis:
    count, paused, waiting = opened.execute(
        "SELECT (SELECT count(*) FROM schedule), (SELECT count(*) FROM schedule WHERE paused),"
        " (SELECT count(*) FROM schedule_firing WHERE state = 'waiting')"
    ).fetchone()
    text = f"{count:,}, of which {paused:,} are paused; {waiting:,} due times wait for a job"
    return Diagnosis.good("schedules", text)


def _deliveries(opened: sqlite3.Connection) -> Diagnosis:
    found = opened.execute("SELECT state, count(*) FROM delivery GROUP BY state").fetchall()
    counts: dict[str, int] = dict(found)
    dead = counts.get("dead", 0)
    text = (
        f"{counts.get('delivered', 0):,} delivered, {counts.get('pending', 0):,} on their way, "
        f"{dead:,} failed"
    )
    if not dead:
        return Diagnosis.good("deliveries", text)
    remedy = "See why, and send them again: cnc-station webhook deliveries, webhook replay."
    return Diagnosis.warning("deliveries", text, remedy)
