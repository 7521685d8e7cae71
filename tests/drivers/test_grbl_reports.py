"""What comes over the wire is parsed or ignored; no input raises."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cnc_station.engine.drivers.grbl import reports
from cnc_station.engine.drivers.grbl.reports import Make, Picture, Report

PIECES = st.lists(
    st.sampled_from(["<", ">", "|", ":", ",", "Run", "Hold", "MPos", "WCO", "FS", "Bf", "-", "1.5"])
    | st.sampled_from(["nan", "inf", "1e999", "Ov", "Ln", "H", "T", "²", "٣", "_", "\x00"])
    | st.text(max_size=4),
    max_size=30,
).map("".join)


@given(text=PIECES | st.text() | PIECES.map(lambda text: f"<Run|{text}>"))
@example("<Run|MPos:1,2,3|Ln:1e400>")
@example("<Hold:²|MPos:1,2,3>")
def test_any_input_is_a_report_or_none(text: str) -> None:
    report = reports.report(text)
    reports.welcome(text)
    reports.code(text, "error")
    reports.setting(text)
    reports.make([text], None)
    if report is not None:
        picture = Picture()
        picture.take(report)
        for number in (*(picture.place or ()), picture.feed or 0.0):
            assert math.isfinite(number)


def test_what_both_dialects_report_is_read() -> None:
    assert reports.report("<Run|MPos:43.804,-25.724,22.072|FS:3048,1000>") == Report(
        "Run", machine=(place := (43.804, -25.724, 22.072)), axes=place, feed=3048, spindle=1000
    )
    assert reports.report("<Hold:1|WPos:1,2,3,4|Bf:15,128|Ln:7|F:0|Ov:110,50,90|T:3|H:0,0>") == (
        Report(
            "Hold",
            1,
            work=(1, 2, 3),
            axes=(1, 2, 3, 4),
            feed=0,
            overrides=(1.1, 0.5, 0.9),
            blocks_free=15,
            line=7,
            tool=3,
            homed=False,
        )
    )
    assert reports.report("<Nonsense|MPos:1,2,3>") is None


@pytest.mark.parametrize(
    ("shown", "at_rest"),
    [
        ("Hold:1", False),
        ("Hold:0", True),
        ("Idle", True),
        ("Run", False),
        ("Door:0", True),
        ("Door:2", False),
        ("Jog", False),
        ("Home", False),
        ("Alarm", True),
    ],
)
def test_only_states_without_motion_are_at_rest(shown: str, at_rest: bool) -> None:
    report = reports.report(f"<{shown}|MPos:0,0,0>")
    assert report is not None
    assert report.spelled == shown
    assert report.at_rest is at_rest


def test_the_dialect_and_the_buffer_are_found_in_its_identification() -> None:
    old = ["[VER:1.1h.20190825:]", "[OPT:V,15,128]"]
    new = ["[VER:1.1f.20240101:]", "[OPT:VNML+,100,1024,3,0]"]
    assert reports.make(old, None) == Make(
        "Grbl 1.1h", hal=False, buffer=128, blocks=15, options="V"
    )
    assert reports.make(old, "Grbl 0.9j").name == "Grbl 0.9j"
    hal = reports.make(new, None)
    assert (hal.hal, hal.buffer, hal.blocks) == (True, 1024, 100)
    assert reports.make([], None) == Make("Grbl", buffer=128)


def test_a_position_in_inches_is_converted_and_offsets_are_kept() -> None:
    picture = Picture()
    picture.inches = True
    for text in ("<Idle|MPos:1,2,3|WCO:0,1,1|FS:0,0>", "<Run|MPos:2,2,3|FS:10,0>"):
        report = reports.report(text)
        assert report is not None
        picture.take(report)
    assert picture.place == pytest.approx((50.8, 25.4, 50.8))
    assert picture.feed == pytest.approx(254)
    picture.forget()
    assert picture.place is None
