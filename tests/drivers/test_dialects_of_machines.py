"""Which dialect the programs of a machine are read in."""

import pytest

from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.nc.dialects import FANUC_LATHE_A, GRBL, LINUXCNC
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.dialects import FIELD


def test_a_driver_of_one_make_fixes_the_dialect() -> None:
    assert registry.dialect("linuxcnc", {FIELD: FANUC_LATHE_A.label}) is LINUXCNC
    assert registry.dialect("grbl", {}) is GRBL


@pytest.mark.parametrize("driver", ["mtconnect", "opcua", "simulator"])
def test_a_machine_of_any_make_states_its_dialect_or_has_it_guessed(driver: str) -> None:
    assert registry.dialect(driver, {}) is None
    assert registry.dialect(driver, {FIELD: FANUC_LATHE_A.label}) is FANUC_LATHE_A
    assert any(field.name == FIELD for field in registry.info(driver).settings)


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not a dialect"):
        registry.make("simulator", {FIELD: "Klingon"})
