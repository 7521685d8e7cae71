"""What the package brings to a Debian on which nothing but its dependencies is installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cnc_station import __version__
from tests.installed.conftest import ME
from tests.installed.pictures import Screen
from tests.installed.roots import Root, processes, terminate
from tests.installed.stations import PATIENCE_S, PROGRAM, health
from tests.tools.servers import free_port
from tests.until import until

pytestmark = pytest.mark.slow
on_debian_12 = pytest.mark.parametrize("suite", ["bookworm"], indirect=True, scope="session")
DATA = f"/home/{ME}/.local/share/cnc-station"
FEW_COLOURS = 120  # of a floor without machines
PROGRAMS = ("nc", "ngc", "tap", "gcode")


def test_it_runs_with_what_debian_brings(debian: Root) -> None:
    assert debian.run("cnc-station", "--version").strip() == __version__
    found = debian.run(
        "cnc-station", "doctor", user=ME, HOME=f"/home/{ME}", QT_QPA_PLATFORM="offscreen"
    )
    assert re.search(r"^ok +window", found, re.MULTILINE), found


async def test_the_demo_day_runs_off_screen_and_closes_in_order(
    debian: Root, tmp_path: Path
) -> None:
    await _demo_day(debian, tmp_path, QT_QPA_PLATFORM="offscreen")


@on_debian_12
async def test_the_demo_day_is_painted_on_a_screen(debian: Root, tmp_path: Path) -> None:
    debian.install("xvfb")
    with Screen(debian) as screen:
        await _demo_day(debian, tmp_path, screen, DISPLAY=screen.display)


async def _demo_day(
    debian: Root, tmp_path: Path, screen: Screen | None = None, **environ: str
) -> None:
    port = free_port()
    told = {"HOME": f"/home/{ME}", "CNC_HEALTH_PORT": str(port)} | environ
    with (tmp_path / "demo.log").open("wb") as log:
        window = debian.start("cnc-station", "demo", output=log, user=ME, **told)
        await until(lambda: health(port) or window.poll() is not None, PATIENCE_S)
        assert window.poll() is None, (tmp_path / "demo.log").read_text()
        asked = ["cnc-station", "machines", "--json", "--database", f"{DATA}/demo.db"]

        def runs() -> bool:
            return '"running"' in debian.run(*asked, user=ME, **told)

        await until(runs, PATIENCE_S)
        if screen is not None:
            await until(lambda: len(screen.colours()) > FEW_COLOURS, PATIENCE_S)
            screen.save(Path("build/demo-day.png"))
        (main,) = processes(debian, PROGRAM)
        terminate(debian, main)
        await until(lambda: window.poll() is not None, PATIENCE_S)
    said = "".join(path.read_text() for path in debian.path(f"{DATA}/logs").glob("*.jsonl"))
    assert window.returncode == 0
    assert "Traceback" not in said
    assert "has stopped" in said


@on_debian_12
def test_desktop_manual_and_shell_know_it(debian: Root) -> None:
    debian.install("libglib2.0-bin", "man-db")
    debian.run("desktop-file-validate", "/usr/share/applications/cnc-station.desktop")
    for ending in PROGRAMS:
        debian.path(f"/srv/part.{ending}").write_text("G21 G90\nM2\n")
        found = debian.run("gio", "info", "-a", "standard::content-type", f"/srv/part.{ending}")
        assert "text/x.gcode" in found
    assert "cnc-station.desktop" in debian.run("gio", "mime", "text/x.gcode")

    page = debian.run("man", "-P", "cat", "--warnings", "cnc-station")
    assert all(word in page for word in ("schedule add", "--not-before", "CNC_CONFIG"))
    assert "warning:" not in page

    completed = debian.run(
        "bash",
        "-c",
        ". /usr/share/bash-completion/completions/cnc-station;"
        "COMP_WORDS=(cnc-station sched); COMP_CWORD=1; _shtab_cnc_station; echo ${COMPREPLY[@]}",
    )
    assert completed.split() == ["schedule"]


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is not installed")
def test_lintian_finds_no_error(package: Path) -> None:
    done = subprocess.run(
        ["lintian", "--fail-on", "error", package], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
