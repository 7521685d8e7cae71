"""The station without a window, as systemd would run it."""

import json
import re
from pathlib import Path

import pytest

from tests.installed.roots import Root
from tests.installed.stations import PATIENCE_S, UNIT, health, service
from tests.until import until

pytestmark = pytest.mark.slow
on_debian_12 = pytest.mark.parametrize("suite", ["bookworm"], indirect=True, scope="session")
COMMANDS = '[[command]]\npath = "/usr/bin/env"\n'
AS_SERVICE = {
    "CNC_CONFIG": "/etc/cnc-station/cnc-station.toml",
    "CNC_DATA_FOLDER": "/var/lib/cnc-station",
}


async def test_it_tells_its_manager_when_it_is_ready_and_when_it_stops(
    debian: Root, tmp_path: Path
) -> None:
    with service(debian, tmp_path / "service.log") as station:
        await station.ready()
        assert health(station.port) is not None
        assert station.heard()[:1] == ["READY=1"]
        status = await station.stop()
        assert (status, station.heard()[-1]) == (0, "STOPPING=1"), (
            tmp_path / "service.log"
        ).read_text()
    owner, group, mode = debian.run("stat", "-c", "%U %G %a", "/var/lib/cnc-station").split()
    assert (owner, group, mode) == ("cnc-station", "cnc-station", "700")


@on_debian_12
async def test_nothing_of_the_bundle_reaches_a_command_of_a_job(
    debian: Root, tmp_path: Path
) -> None:
    debian.path("/etc/cnc-station/commands.toml").write_text(COMMANDS)
    allowed = 'shell_commands = "/etc/cnc-station/commands.toml"'
    with service(debian, tmp_path / "service.log", allowed) as station:
        await station.ready()
        job = ["submit", "--name", "env", "--handler", "shell.command"]
        payload = json.dumps({"command": "/usr/bin/env"})
        _cli(debian, *job, "--payload", payload)
        await until(lambda: '"completed"' in _cli(debian, "job", "1", "--json"), PATIENCE_S)
        told = _cli(debian, "run", "1", "--json")
        assert "CNC_JOB_ID=1" in told
        assert not re.search(r"LD_LIBRARY_PATH|_PYI_|_MEI|PYTHON|QT_", told), told
        assert await station.stop() == 0


@on_debian_12
def test_systemd_accepts_the_unit_and_finds_little_exposed(debian: Root) -> None:
    debian.install("systemd")
    assert debian.run("systemd-analyze", "--man=no", "verify", UNIT) == ""
    found = debian.run("systemd-analyze", "security", "--offline=true", UNIT)
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", found)
    assert exposure is not None, found
    assert float(exposure[1]) <= 2.5, found


def _cli(debian: Root, *command: str) -> str:
    return debian.run("cnc-station", *command, user="cnc-station", **AS_SERVICE)
