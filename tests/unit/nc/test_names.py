"""Names of NC programs, here and at the control."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.nc.names import ENDINGS, same_program, spelled


@pytest.mark.parametrize(
    ("ordered", "reported"),
    [
        ("plate.nc", "PLATE.NC"),
        ("plate.nc", "plate"),
        ("plate", "plate.nc"),
        ("plate.nc", "plate.h"),
        ("plate.nc", "//CNC_MEM/USER/PATH1/PLATE.NC"),
        ("jobs\\plate.nc", "C:\\NC\\plate.nc"),
        ("plate.nc", "PLATE.MIN"),
        ("plate.nc", "MD1:PLATE.MIN"),
        ("plate.nc", "TNC:\\nc_prog\\plate.H"),
        ("plate.nc", "/_N_MPF_DIR/_N_PLATE_MPF"),
        ("plate.v2.nc", "PLATE.V2.EIA"),
        ("O1234", "o1234.nc"),
        ("O1234.nc", "1234"),
        ("O1234.nc", "O01234.MIN"),
        ("O0012.nc", ":12"),
        ("1234.nc", ":00001234"),
        ("O0000.nc", "0"),
    ],
)
def test_a_program_is_the_same_in_the_spelling_of_any_control(ordered: str, reported: str) -> None:
    assert same_program(ordered, reported)
    assert same_program(reported, ordered)


@pytest.mark.parametrize(
    ("ordered", "reported"),
    [
        ("plate.nc", "plate2.nc"),
        ("plate.v1", "plate.v2"),
        ("plate.nc", "plate.v2"),
        ("plate.nc", "plate.nc.min"),
        ("O1234.nc", "O12340.nc"),
        ("O1234.nc", "P1234.nc"),
        ("o12a.nc", "12a.nc"),
        ("007x.nc", "7x.nc"),
        ("", ""),
        ("plate.nc", ""),
        ("", "x"),
        ("/", "/"),
        ("plate.nc", ".nc"),
    ],
)
def test_another_name_or_none_is_another_program(ordered: str, reported: str) -> None:
    assert not same_program(ordered, reported)


@given(st.sampled_from(sorted(ENDINGS)), st.sampled_from(sorted(ENDINGS)))
def test_each_known_ending_stands_for_any_other(one: str, other: str) -> None:
    assert same_program(f"bracket{one}", f"/NC/BRACKET{other.upper()}")


@given(st.text(max_size=12))
def test_every_name_is_its_own_in_capitals_and_in_a_folder(name: str) -> None:
    assert same_program(name, name) == same_program(f"NC/{name}", name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bracket.nc", "bracket.nc (also BRACKET.MIN)"),
        ("jobs/bracket.MIN", "bracket.MIN (also BRACKET.NC)"),
        ("plate.v2", "plate.v2 (also PLATE.V2.MIN)"),
    ],
)
def test_people_read_the_name_and_another_spelling(name: str, words: str) -> None:
    assert spelled(name) == words
