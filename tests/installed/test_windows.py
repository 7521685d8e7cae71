"""The installer for Windows around a stand-in program, run by wine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.until import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, ("makensis", "wine", "Xvfb"))),
        reason="not installed: nsis, wine64, wine or xvfb",
    ),
]
SCRIPT = Path(__file__).parents[2] / "packaging/windows/installer.nsi"
UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\CNC Station"
STILL_RUNNING = 3


def compiled(script: Path, **values: object) -> None:
    defined = [f"-D{name}={value}" for name, value in values.items()]
    done = subprocess.run(
        ["makensis", "-V2", "-WX", *defined, script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


class Windows:
    """A user of a PC with Windows, as far as wine is one."""

    def __init__(self, folder: Path, display: str) -> None:
        self._folder = folder
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DISPLAY": display,
            "WINEPREFIX": str(folder / "wine"),
            "WINEDEBUG": "-all",
            "USER": "anna",
        }
        self.run("wineboot", "--init")
        (self.home,) = (path for path in self.drive("users").iterdir() if path.name != "Public")
        self.mine = self.home / "AppData/Local/Programs/CNC Station"

    def drive(self, inside: str) -> Path:
        return self._folder / "wine/drive_c" / inside

    def run(self, *command: str | Path) -> int:
        return subprocess.run(
            ["wine", *command], env=self._environ, capture_output=True, timeout=180, check=False
        ).returncode

    def start(self, program: Path) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            ["wine", program],
            env=self._environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def value(self, key: str, name: str | None = None) -> str:
        """Of the registry; "" if there is none."""
        wanted = ["/ve"] if name is None else ["/v", name]
        done = subprocess.run(
            ["wine", "reg", "query", key, *wanted],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.split("REG_SZ")[-1].strip() if done.returncode == 0 else ""

    def shows(self, title: str) -> bool:
        """Whether a window of this name is on the screen."""
        return (
            subprocess.run(
                ["xdotool", "search", "--onlyvisible", "--name", title],
                env=self._environ,
                capture_output=True,
                check=False,
            ).returncode
            == 0
        )

    def end(self) -> None:
        subprocess.run(["wineserver", "-k"], env=self._environ, check=False)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1366x768x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
        server.terminate()


@pytest.fixture(scope="module")
def windows(display: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Windows]:
    made = Windows(tmp_path_factory.mktemp("windows"), display)
    yield made
    made.end()


def installer(folder: Path, version: str, library: str, **standin: object) -> Path:
    """One of this version, whose program has this library beside it."""
    payload = folder / version
    (payload / "_internal").mkdir(parents=True)
    (payload / "_internal" / library).write_text("a library")
    standin["OUTFILE"] = payload / "cnc-station.exe"
    compiled(Path(__file__).with_name("standin.nsi"), **standin)
    made = folder / f"CNC-Station-{version}.exe"
    files = {"PAYLOAD": payload, "OUTFILE": made}
    compiled(SCRIPT, TARGET="amd64-unicode", VERSION=version, PATIENCE=3, **files)
    return made


async def test_a_person_installs_upgrades_over_an_open_window_and_uninstalls(
    windows: Windows, tmp_path: Path
) -> None:
    older, newer = (
        installer(tmp_path, version, library)
        for version, library in (("0.1.0", "old.dll"), ("0.2.0", "new.dll"))
    )
    assert windows.run(older, "/S") == 0
    program, ours = windows.mine / "cnc-station.exe", r"HKCU\Software\CNC Station"
    opens = windows.value(r"HKCU\Software\Classes\CNCStation.Program\shell\open\command")
    assert program.exists()
    assert opens.endswith(r'\cnc-station.exe" open "%1"')
    assert windows.value(rf"HKCU\{UNINSTALL}", "DisplayVersion") == "0.1.0"
    assert windows.value(ours, "Folder").endswith("CNC Station")
    assert windows.value(ours, "Port") == ""
    assert list(windows.home.rglob("Start Menu/Programs/CNC Station.lnk"))

    data = windows.home / "AppData/Local/cnc-station/station.db"
    data.parent.mkdir(parents=True)
    data.write_text("jobs")
    (windows.mine / "mine.txt").write_text("put there by a person")
    window = windows.start(program)
    await until(lambda: windows.shows("stand-in"), 60)
    assert windows.run(newer, "/S") == 0
    assert (windows.home / "closed.txt").exists()
    window.wait(30)
    assert windows.value(rf"HKCU\{UNINSTALL}", "DisplayVersion") == "0.2.0"
    assert [file.name for file in (windows.mine / "_internal").iterdir()] == ["new.dll"]

    place = windows.value(ours, "Folder")
    assert windows.run(windows.mine / "uninstall.exe", "/S", f"_?={place}") == 0
    assert [file.name for file in windows.mine.iterdir()] == ["mine.txt"]
    assert data.read_text() == "jobs"
    assert windows.value(rf"HKCU\{UNINSTALL}", "DisplayVersion") == ""
    assert not list(windows.home.rglob("CNC Station.lnk"))


async def test_a_program_that_does_not_close_is_not_replaced(
    windows: Windows, tmp_path: Path
) -> None:
    older = installer(tmp_path, "0.1.0", "old.dll", STUBBORN=1)
    newer = installer(tmp_path, "0.2.0", "new.dll")
    assert windows.run(older, "/S") == 0
    windows.start(windows.mine / "cnc-station.exe")
    await until(lambda: windows.shows("stand-in"), 60)
    assert windows.run(newer, "/S") == STILL_RUNNING
    assert [file.name for file in (windows.mine / "_internal").iterdir()] == ["old.dll"]
    assert windows.value(rf"HKCU\{UNINSTALL}", "DisplayVersion") == "0.1.0"
    windows.run("taskkill", "/F", "/IM", "cnc-station.exe")


def test_an_administrator_installs_for_all_and_opens_a_port(
    windows: Windows, tmp_path: Path
) -> None:
    made = installer(tmp_path, "0.1.0", "a.dll")
    assert windows.run(made, "/S", "/AllUsers", "/PORT=8470") == 0
    assert (windows.drive("Program Files/CNC Station") / "cnc-station.exe").exists()
    assert windows.value(r"HKLM\Software\CNC Station", "Port") == "8470"
    folder = windows.value(r"HKLM\Software\CNC Station", "Folder")
    uninstall = windows.drive("Program Files/CNC Station/uninstall.exe")
    assert windows.run(uninstall, "/AllUsers", "/S", f"_?={folder}") == 0
    assert not windows.drive("Program Files/CNC Station").exists()
