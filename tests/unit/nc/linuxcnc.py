"""LinuxCNC's own interpreter as a reference: what its `rs274` makes of a program."""

import math
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Point = tuple[float, float, float]
DATA = Path(__file__).parents[2] / "data" / "nc"
CALL = re.compile(r"\s*\d+\s+N\S+\s+([A-Z0-9_]+)\((.*)\)$")
PLANES = {"XY": (0, 1, 2), "XZ": (2, 0, 1), "YZ": (1, 2, 0)}
STEP_RAD = math.radians(0.25)


@dataclass
class Driven:
    """The path of a program in mm.

    The box around its cuts, their length, its last point, all its points, and the time of its feeds
    and dwells while all feeds are per minute.
    """

    end: Point = (0.0, 0.0, 0.0)
    feed_mm: float = 0.0
    rapid_mm: float = 0.0
    low: Point = (math.inf,) * 3
    high: Point = (-math.inf,) * 3
    complaint: str = ""
    tools: list[int] = field(default_factory=list)
    path: list[Point] = field(default_factory=lambda: [(0.0, 0.0, 0.0)])
    cutting_s: float = 0.0
    by_the_minute: bool = True

    def cut(self, points: list[Point], length: float, feed: float = 0.0) -> None:
        self.feed_mm += length
        low_x, low_y, low_z = map(min, zip(self.low, *points, strict=True))
        high_x, high_y, high_z = map(max, zip(self.high, *points, strict=True))
        self.low, self.high = (low_x, low_y, low_z), (high_x, high_y, high_z)
        self.path += points[1:]
        if feed > 0.0:
            self.cutting_s += length / feed


@dataclass
class Modes:
    """The modes for the calls to come; `feed` in mm/s."""

    unit: float = 1.0
    plane: tuple[int, int, int] = PLANES["XY"]
    feed: float = 0.0
    by_the_minute: bool = True

    def set(self, call: str, words: list[str]) -> None:
        if call == "USE_LENGTH_UNITS":
            self.unit = 25.4 if "INCHES" in words[0] else 1.0
        elif call == "SELECT_PLANE":
            self.plane = PLANES[words[0][-2:]]
        elif call == "SET_FEED_RATE":
            self.feed = float(words[0]) * self.unit / 60.0
        elif call == "START_SPEED_FEED_SYNC" or (call == "SET_FEED_MODE" and words[1] != "0"):
            self.by_the_minute = False


def driven(program: Path) -> Driven:
    """Return what LinuxCNC drives, each tool zero long; `complaint` if it refuses the program.

    Raises FileNotFoundError if LinuxCNC is not installed.
    """
    done = _ran(["rs274", "-g", "-t", str(DATA / "tool.tbl"), str(program)])
    complaint = done.stderr.decode("latin-1").replace("executing", "").strip()
    result = Driven(complaint=complaint)
    modes = Modes()
    for call, arguments in canonical(done.stdout.decode("latin-1")):
        words = [word for word in re.split(r"[,\s]+", arguments) if word]
        start = result.end
        modes.set(call, words)
        if call == "CHANGE_TOOL":
            result.tools.append(int(words[0]))
        elif call == "DWELL":
            result.cutting_s += float(words[0])
        elif call == "STRAIGHT_TRAVERSE":
            result.end = point(words, modes.unit)
            result.rapid_mm += math.dist(start, result.end)
            result.path.append(result.end)
        elif call == "STRAIGHT_FEED":
            result.end = point(words, modes.unit)
            if result.end != start:
                result.cut([start, result.end], math.dist(start, result.end), modes.feed)
        elif call == "ARC_FEED":
            points = arc(start, words, modes.plane, modes.unit)
            result.end = points[-1]
            result.cut(points, sum(map(math.dist, points, points[1:])), modes.feed)
    result.by_the_minute = modes.by_the_minute
    return result


def _ran(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run in its own home folder.

    It maps its tool table there, which another start would truncate (a bus error). It writes its
    parameters into the current folder.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
            cwd=folder,
            env={**os.environ, "HOME": folder},
        )
    assert done.returncode >= 0, done
    return done


def canonical(text: str) -> Iterator[tuple[str, str]]:
    """Yield each canonical call with the text of its arguments."""
    for line in text.splitlines():
        if match := CALL.match(line):
            yield match[1], match[2]


def point(words: list[str], unit: float) -> Point:
    x, y, z = (float(word) * unit for word in words[:3])
    return x, y, z


def arc(start: Point, words: list[str], plane: tuple[int, int, int], unit: float) -> list[Point]:
    """Return the points of ARC_FEED(first end, second end, first centre, second centre, turns,
    end)."""
    end_u, end_v, centre_u, centre_v = (float(word) * unit for word in words[:4])
    turns, end_w = int(words[4]), float(words[5]) * unit
    u, v, w = plane
    radius = math.hypot(start[u] - centre_u, start[v] - centre_v)
    first = math.atan2(start[v] - centre_v, start[u] - centre_u)
    last = math.atan2(end_v - centre_v, end_u - centre_u)
    sign = math.copysign(1.0, turns)
    sweep = (sign * (last - first)) % math.tau
    # The canonical calls are rounded to 0.1 µm: a full circle may seem to end just after it starts.
    if sweep < 1e-4 or (math.isclose(end_u, start[u]) and math.isclose(end_v, start[v])):
        sweep = math.tau
    sweep += (abs(turns) - 1) * math.tau
    count = max(2, math.ceil(sweep / STEP_RAD))
    points = []
    for k in range(count + 1):
        angle, at = first + sign * sweep * k / count, [0.0, 0.0, 0.0]
        at[u] = centre_u + radius * math.cos(angle)
        at[v] = centre_v + radius * math.sin(angle)
        at[w] = start[w] + (end_w - start[w]) * k / count
        points.append((at[0], at[1], at[2]))
    exact = [0.0, 0.0, 0.0]
    exact[u], exact[v], exact[w] = end_u, end_v, end_w
    return [start, *points[1:-1], (exact[0], exact[1], exact[2])]
