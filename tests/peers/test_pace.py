"""Budgets of bytes, slices of the loop, and what remains of a peer's texts and numbers."""

import asyncio
import time
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cnc_station.peers import limits
from cnc_station.peers.pace import SLICE_S, Budget, in_slices
from cnc_station.peers.probing import within
from cnc_station.peers.values import number, parse_number, parse_whole, text
from tests.tools.lag import LagProbe

SLOW = replace(limits.GRBL, burst=100, bytes_per_s=10)


def test_a_budget_is_spent_at_once_and_refilled_with_time() -> None:
    now = [0.0]
    budget = Budget(SLOW, clock=lambda: now[0])
    assert budget.spend(100)
    assert not budget.spend(1)
    now[0] = 1.0
    assert budget.spend(9)
    assert not budget.spend(1)
    now[0] = 1_000.0
    assert budget.spend(100)
    assert not budget.spend(1)


async def test_the_loop_gets_its_turn_between_many_items() -> None:
    with LagProbe() as probe:
        async for _ in in_slices(range(300)):
            time.sleep(0.001)  # noqa: ASYNC251 - work that does not wait
    assert len(probe.lags) > 20
    assert probe.percentile(0.5) < 5 * SLICE_S


async def test_one_who_sends_too_much_is_read_slowly() -> None:
    budget = Budget(replace(SLOW, bytes_per_s=1_000))
    begun = asyncio.get_running_loop().time()
    await budget.spend_slowly(100)
    await budget.spend_slowly(200)
    assert asyncio.get_running_loop().time() - begun >= 0.19


@given(st.text(), st.integers(1, 50))
@example("a\xa0b\u2003c\u2028d\x85e", 50)
def test_a_text_is_one_printable_line(raw: str, longest: int) -> None:
    found = text(raw, longest)
    assert found.isprintable()
    assert len(found) <= longest
    has_marks = any(unicodedata.category(char)[0] == "M" for char in raw)
    if raw.isprintable() and len(raw) <= longest and not has_marks:
        assert found == raw


@given(st.floats() | st.integers())
def test_a_number_is_finite_and_small_enough(raw: float) -> None:
    found = number(raw)
    assert found is None or abs(found) <= limits.LARGEST_NUMBER


@pytest.mark.parametrize("raw", ["nan", "inf", "-inf", "1e999", "1e300", "x", "", "9" * 5_000])
def test_what_is_not_a_figure_of_a_machine_is_refused(raw: str) -> None:
    for parse in (parse_number, parse_whole):
        with pytest.raises(ValueError, match=r"."):
            parse(raw)


def test_a_call_that_takes_too_long_is_left_behind() -> None:
    with pytest.raises(TimeoutError):
        within(0.05, lambda: time.sleep(1))
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)
    assert within(5, lambda: 7) == 7
