"""The controller that other tests drive does what they rely on."""

from collections.abc import Iterator

import pytest

from tests.conftest import serving
from tests.linuxcnc import LinuxCnc

pytestmark = pytest.mark.xdist_group("linuxcnc")
PROGRAM = "G21 G90 G0 X{x}\nM2\n"


@pytest.fixture
def mill() -> Iterator[LinuxCnc]:
    with serving(LinuxCnc) as mill:
        yield mill


def run(mill: LinuxCnc, x: int) -> str:
    """Drives to x; gives back where the tool stands then."""
    program = mill.programs / f"to_{x}.ngc"
    program.write_text(PROGRAM.format(x=x))
    with mill.panel as panel:
        panel.make_ready()
        panel.set(f"open {program}")
        panel.wait("program", str(program))
        panel.set("run")
        panel.wait("rel_act_pos", f"{x}.000000 0.000000")
        panel.wait("program_status", "IDLE")
        return panel.get("inifile")


def test_two_controllers_run_at_once_and_survive_each_other(mill: LinuxCnc) -> None:
    with serving(lambda: LinuxCnc("MILL2")) as other:
        assert run(mill, 2) != run(other, 3)
    assert run(mill, 4)


def test_a_controller_that_has_gone_is_started_again_for_the_next_test(mill: LinuxCnc) -> None:
    mill.kill()
    with mill.ready_panel() as panel:
        assert panel.get("mode") == "AUTO"


def test_a_controller_comes_back_on_its_port_stopped_or_killed(mill: LinuxCnc) -> None:
    port = mill.port
    for end in (mill.stop, mill.kill):
        end()
        with pytest.raises(ConnectionRefusedError):
            _ = mill.panel
        mill.start()
        assert mill.port == port
        with mill.panel as panel:
            assert panel.get("estop") == "ON"  # nothing is left of what it was before
