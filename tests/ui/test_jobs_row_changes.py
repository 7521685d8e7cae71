from collections.abc import Hashable

from hypothesis import given
from hypothesis import strategies as st

from cnc_station.ui.models.row_changes import Fill, Insert, Move, Remove, apply, steps

ids = st.integers(1, 25)
windows = st.lists(ids, unique=True, max_size=20)
partly_known = st.lists(st.one_of(st.none(), ids), max_size=20, unique_by=lambda x: x or object())


@given(partly_known, windows)
def test_the_steps_turn_any_window_into_any_other(old: list[int | None], new: list[int]) -> None:
    work: list[Hashable | None] = list(old)
    for step in steps(old, new):
        if isinstance(step, Fill):
            here = work[step.first : step.first + len(step.ids)]
            assert here == [None] * len(step.ids), "only rows not looked at are filled"
        apply(step, work)
    assert work == new


@given(partly_known, windows)
def test_a_row_that_stays_on_view_is_never_removed_nor_inserted(
    old: list[int | None], new: list[int]
) -> None:
    work: list[Hashable | None] = list(old)
    for step in steps(old, new):
        match step:
            case Remove(first, last):
                assert not set(work[first : last + 1]) & set(new)
            case Insert(_, added) | Fill(_, added):
                assert not set(added) & set(old)
            case Move(source, _):
                assert work[source] in new
        apply(step, work)


def test_one_row_going_to_the_end_is_one_move() -> None:
    assert steps([1, 2, 3, 4, 5], [2, 3, 4, 5, 1]) == [Move(0, 5)]


def test_scrolling_on_fills_rows_and_moves_nothing() -> None:
    assert steps([3, None, None], [3, 4, 5]) == [Fill(1, (4, 5))]


def test_nothing_changed_means_no_step() -> None:
    assert steps([1, 2, 3], [1, 2, 3]) == []
