from itertools import pairwise

import pytest

from cnc_station.engine.domain.nc import Kind
from tests.unit.nc.programs import errors, milled, moves, steps

LATHE = "G18 G7\nG0 X20 Z5\n"
M16 = "G76 P1.5 Z-20 I-4 J0.4 R1.5 K1.84 Q29.5 H2"


def test_a_thread_deepens_to_its_root_and_springs_there() -> None:
    program = milled(LATHE + M16)

    cuts = [move.end for move in moves(program) if move.kind is Kind.FEED]
    radii = [x for x, _, _ in cuts]
    assert errors(program) == []
    assert radii == sorted(radii, reverse=True)
    assert radii[0] == pytest.approx(10 - 2 - 0.2)
    assert radii[-3:] == pytest.approx([10 - 2 - 0.92] * 3)
    assert cuts[-1] == pytest.approx((7.08, 0.0, -20.0))
    assert steps(program)[-1] == (Kind.RAPID, (10.0, 0.0, -20.0))


def test_a_thread_is_cut_at_its_lead_for_each_turn_of_the_spindle() -> None:
    program = milled(LATHE + M16)

    cut = next(move for move in moves(program) if move.kind is Kind.FEED)
    assert cut.feed == pytest.approx(1.5 * 1000)


def test_every_pass_leaves_less_to_the_next() -> None:
    program = milled(LATHE + "G76 P1 Z-10 I-2 J0.2 R2 K1")

    radii = [move.end[0] for move in moves(program) if move.kind is Kind.FEED]
    chips = [before - after for before, after in pairwise(radii)]
    assert chips == sorted(chips, reverse=True)


def test_an_inside_thread_grows() -> None:
    program = milled(LATHE + "G76 P1 Z-10 I2 J0.5 K1")

    radii = [move.end[0] for move in moves(program) if move.kind is Kind.FEED]
    assert radii == pytest.approx([11.25, 11.5])


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("G76 P1 Z-10 I-2 K1", "needs J"),
        ("G76 P010060 Q100 R0.05", "needs Z, I, J, K"),
        ("G76 P1 X18 Z-10 I-2 J0.2 K1", "X is not supported"),
        ("G76 P1 Z-10 I-2 J2 K1", "J2"),
        ("G76 P1 Z-10 I0 J0.2 K1", "I0"),
        ("G76 P1 Z-10 I-2 J0.2 K1 R0.5", "R0.5"),
        ("G76 P1 Z-10 I-2 J0.2 K1 Q95", "Q95"),
        ("G76 P1 Z-10 I-2 J0.2 K1 L2", "tapered"),
        ("G76 P1 Z-10 I-2 J0.000001 K1", "too small"),
        ("M5\nG76 P1 Z-10 I-2 J0.2 K1", "spindle stopped"),
        ("G17\nG76 P1 Z-10 I-2 J0.2 K1", "G18"),
    ],
)
def test_a_thread_that_cannot_be_cut_is_refused(block: str, why: str) -> None:
    program = milled(LATHE + block)

    assert any(why in message for message in errors(program)), errors(program)
    assert all(move.kind is not Kind.FEED for move in moves(program))
