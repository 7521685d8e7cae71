"""The growing pause between attempts."""

from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.timing import GrowingPause


def test_a_pause_doubles_up_to_the_longest_and_begins_again_after_a_reset() -> None:
    pause = GrowingPause(0.5, 3.0)
    taken = [(pause.is_first, pause.next_s()) for _ in range(5)]
    assert taken == [(True, 0.5), (False, 1.0), (False, 2.0), (False, 3.0), (False, 3.0)]
    pause.reset()
    assert (pause.is_first, pause.next_s()) == (True, 0.5)


@given(st.floats(0.01, 10.0), st.floats(1.0, 100.0), st.floats(0.0, 1.0))
def test_jitter_shortens_a_pause_by_its_share_at_the_most(
    first: float, times: float, jitter: float
) -> None:
    exact = GrowingPause(first, first * times)
    varied = GrowingPause(first, first * times, jitter=jitter)
    for _ in range(8):
        longest = exact.next_s()
        assert longest * (1 - jitter) <= varied.next_s() <= longest * (1 + 1e-12)


def test_those_who_failed_together_do_not_come_back_together() -> None:
    assert len({GrowingPause(1.0, 8.0, jitter=0.5).next_s() for _ in range(20)}) > 1
