from hypothesis import given
from hypothesis import strategies as st

from cnc_station.ui.floor.arrangement import LEAST_CARD, LEAST_CHARTS, arrange

ROOMY, COMPACT = 182, 129


@given(st.integers(400, 4000), st.integers(400, 2200), st.integers(1, 200))
def test_everything_is_in_view_or_the_floor_scrolls(width: int, height: int, cards: int) -> None:
    at = arrange(width, height, cards, roomy=ROOMY, compact=COMPACT, margin=16)
    rows = -(-cards // at.columns)
    assert at.cards_top + rows * at.card_height <= at.charts_top
    assert at.charts_height >= LEAST_CHARTS
    assert at.total == at.charts_top + at.charts_height
    assert at.columns == 1 or width >= at.columns * LEAST_CARD
    assert rows == -(-cards // max(1, (width + 10) // (LEAST_CARD + 10)))
    if at.total > height:
        needed = at.cards_top + rows * COMPACT + LEAST_CHARTS
        assert needed > height - rows * 12 - 12


def test_the_demo_shop_is_in_view_on_a_small_screen_and_roomy_on_a_large_one() -> None:
    small = arrange(950, 664, 9, roomy=ROOMY, compact=COMPACT, margin=16)
    assert (small.columns, small.compact, small.total) == (3, True, 664)
    large = arrange(1504, 976, 9, roomy=ROOMY, compact=COMPACT, margin=16)
    assert (large.columns, large.compact, large.total) == (3, False, 976)


def test_fifty_machines_scroll() -> None:
    assert arrange(950, 664, 50, roomy=ROOMY, compact=COMPACT, margin=16).total > 3000
