"""Turning: diameters, feed per revolution, surface speed, threads."""

from math import pi

import pytest

from cnc_station.engine.domain.nc import Kind, Limits, Program
from cnc_station.engine.domain.nc.dialects import LINUXCNC
from tests.unit.nc.programs import errors, moves, read_text, steps

LATHE = Limits(dialect=LINUXCNC, lathe=True, rapid_mm_min=6000)


def turned(body: str, limits: Limits = LATHE) -> Program:
    return read_text(f"G21 G90 G18 G97 S1000 M3\n{body}\nM30\n", limits)


def cut_seconds(program: Program) -> float:
    return sum(move.seconds for move in moves(program) if move.kind is Kind.FEED)


def test_with_g7_x_is_a_diameter() -> None:
    assert steps(turned("G7 G0 X20 Z1\nG8 X20")) == [
        (Kind.RAPID, (10, 0, 1)),
        (Kind.RAPID, (20, 0, 1)),
    ]


def test_the_centre_of_an_arc_is_a_radius_even_with_g7() -> None:
    program = turned("G7 F100 G0 X20 Z0\nG3 X40 Z-10 I0 K-10")

    assert errors(program) == []
    assert program.feed_mm == pytest.approx(pi / 2 * 10)


def test_feed_per_turn_goes_with_the_spindle() -> None:
    program = turned("G95 F0.2\nG1 Z-100")

    assert cut_seconds(program) == pytest.approx(100 / (0.2 * 1000) * 60)
    assert moves(program)[0].feed == pytest.approx(200)


def test_feed_per_turn_with_a_still_spindle_is_refused() -> None:
    assert errors(turned("M5\nG95 F0.2 G1 Z-1")) == [
        "feed per revolution (G95) with the spindle stopped"
    ]


def test_inverse_time_feed_takes_its_share_of_a_minute() -> None:
    program = turned("G93 G1 Z-100 F4")

    assert cut_seconds(program) == pytest.approx(15.0)
    assert "every cutting block needs its own F" in errors(turned("G93 G1 Z-1 F4\nZ-2"))[0]


def test_a_change_of_feed_mode_asks_for_a_new_feed() -> None:
    assert "without a feed" in errors(turned("F100 G1 Z-1\nG95 Z-2"))[0]


def test_surface_speed_turns_faster_towards_the_centre() -> None:
    program = turned("G0 X50\nG96 S100 G95 F0.1\nG1 X10")

    facing = next(move for move in moves(program) if move.kind is Kind.FEED)
    mean_radius, metres_a_minute = 30.0, 100.0
    turns = 40.0 / 0.1
    minutes = turns * 2 * pi * mean_radius / (metres_a_minute * 1000)
    assert facing.seconds == pytest.approx(minutes * 60)


def test_surface_speed_is_feet_in_an_inch_program() -> None:
    program = read_text("G20 G18\nG0 X1\nG96 S100 M3 G95 F0.01\nG1 Z-1\nM2", LATHE)

    assert moves(program)[1].spindle == pytest.approx(100 * 12 / (2 * pi))


@pytest.mark.parametrize("cap", ["G96 S100 D500", "G50 S500\nG96 S100", "G92 S500\nG96 S100"])
def test_surface_speed_is_capped(cap: str) -> None:
    program = turned(f"G0 X1\n{cap} G95 F0.1\nG1 Z-10")

    assert moves(program)[1].spindle == pytest.approx(500)


def test_u_and_w_count_from_where_the_tool_is() -> None:
    assert steps(turned("G7 G0 X20 Z5\nU4 W-2"))[1] == (Kind.RAPID, (12, 0, 3))


def test_a_turret_changes_with_the_t_word() -> None:
    program = turned("T0101\nG0 X1\nT0303\nX2")

    assert program.tools == (1, 3)
    assert [move.tool for move in moves(program) if move.kind is Kind.RAPID] == [1, 3]


def test_a_program_of_x_and_z_only_is_read_as_a_lathe_program() -> None:
    turning = read_text("G21 G0 X10 Z1\nG1 Z-5 F1\nM2")
    milling = read_text("G21 G0 X10 Y2 Z1\nM2")

    assert turning.lathe
    assert not milling.lathe
    assert not read_text("G21 G0 X10 A2 Z1\nM2").lathe
    assert not read_text("G21 G0 X10 Z1\nM2", Limits(lathe=False)).lathe


def test_an_arc_of_a_guessed_lathe_needs_no_g18() -> None:
    program = read_text("G21 S1 M3 F100\nG0 X10 Z0\nG3 X20 Z-10 I0 K-10\nM2")

    assert errors(program) == []


def test_a_thread_takes_its_lead_for_each_turn() -> None:
    program = turned("G33 Z-30 K1.5\nG32 Z-60 F1.5")

    assert cut_seconds(program) == pytest.approx(60 / 1.5 / 1000 * 60)


def test_a_rigid_tap_retracts_at_the_same_lead() -> None:
    program = turned("G0 Z5\nG33.1 Z-10 K1")

    assert cut_seconds(program) == pytest.approx(30 / 1000 * 60)
    assert moves(program)[-2].end == (0, 0, 5)


@pytest.mark.parametrize("wrong", ["G33 Z-1", "M5\nG33 Z-1 K1", "G32 Z-1"])
def test_a_thread_without_a_lead_or_a_spindle_is_refused(wrong: str) -> None:
    assert turned(f"G0 X20\n{wrong}").refused


def test_a_dwell_by_u_moves_nothing() -> None:
    program = turned("G0 X20\nG4 U1.5")

    assert steps(program)[1] == (Kind.DWELL, (20, 0, 0))
    assert moves(program)[1].seconds == 1.5
