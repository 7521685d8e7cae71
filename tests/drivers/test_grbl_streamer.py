"""The receive buffer never overflows, for any lines and any timing of the answers."""

from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.drivers.grbl.job import Streamer

LINES = st.lists(st.integers(1, 80), max_size=60).map(
    lambda lengths: [bytes([65 + i % 26]) * (n - 1) + b"\n" for i, n in enumerate(lengths)]
)


@given(lines=LINES, room=st.integers(80, 300), answers=st.lists(st.integers(0, 7), max_size=200))
def test_lines_go_out_once_in_order_and_never_too_many(
    lines: list[bytes], room: int, answers: list[int]
) -> None:
    streamer = Streamer(lines, room)
    sent: list[bytes] = []
    answered = 0
    for count in [*answers, *[1] * len(lines)]:
        sent += streamer.due()
        waiting = sum(map(len, sent[answered:]))
        assert streamer.in_flight == waiting <= room
        assert streamer.outstanding == len(sent) - answered
        assert len(sent) == len(lines) or waiting + len(lines[len(sent)]) > room
        for _ in range(count):
            streamer.take_answer()
            answered = min(answered + 1, len(sent))
        assert streamer.done == (answered == len(lines))
    sent += streamer.due()
    assert sent == lines


@given(lines=LINES)
def test_an_unexpected_answer_changes_nothing(lines: list[bytes]) -> None:
    streamer = Streamer(lines, 128)
    streamer.take_answer()
    assert streamer.answered == 0
    assert streamer.in_flight == 0
