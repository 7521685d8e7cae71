import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cnc_station.engine.domain.event_cursor import EventCursor, InvalidCursor, Snapshot

NUMBERS = st.integers(0, 2**63 - 1)
XIDS = st.integers(1, 2**63 - 1)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    xids = sorted(draw(st.sets(XIDS, min_size=1, max_size=20)))
    return Snapshot(xids[-1], tuple(xids[:-1]))


@st.composite
def cursors(draw: st.DrawFn) -> EventCursor:
    seen = draw(st.none() | snapshots())
    batch = None if seen is None else draw(st.none() | snapshots())
    one, two, three, four = (draw(NUMBERS) for _ in range(4))
    return EventCursor(one, two, three, four, seen, batch, draw(NUMBERS))


@given(cursors())
def test_a_cursor_is_read_back_from_its_text_as_it_was(cursor: EventCursor) -> None:
    text = str(cursor)
    assert EventCursor.parse(text) == cursor
    assert text.replace("-", "").replace("_", "").isalnum()


@given(st.text() | st.text("ABCMTEwOzs_-=") | st.binary().map(lambda raw: raw.decode("latin-1")))
@example("MTswOzA7MDswOzA7Ow")  # "1;0;0;0;0;0;;"
@example("")
def test_another_text_is_a_cursor_of_its_own_or_none(text: str) -> None:
    try:
        found = EventCursor.parse(text)
    except InvalidCursor:
        return
    assert str(found) == text


@given(cursors(), st.data())
def test_a_cursor_with_another_character_is_another_cursor_or_none(
    cursor: EventCursor, data: st.DataObject
) -> None:
    text = str(cursor)
    place = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.sampled_from("AZaz09-_="))
    other = text[:place] + character + text[place + 1 :]
    try:
        found = EventCursor.parse(other)
    except InvalidCursor:
        return
    assert (found == cursor) == (other == text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "5:5", "5:5:5:5", "0:5:", "6:5:", "5:9:5,5", "5:9:7,6", "5:9:4", "5:9:9"),
        *("-1:5:", "5:9:5,", "5:9:x", "5:99999999999999999999:", "05:9:5"),
    ],
)
def test_a_snapshot_that_no_server_gives_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        Snapshot.parse(text)


def test_a_snapshot_reads_as_the_server_writes_it() -> None:
    assert Snapshot.parse("10:20:10,14") == Snapshot(20, (10, 14))
    assert Snapshot.parse("10:10:") == Snapshot(10)
    assert Snapshot.parse("10:20:14") == Snapshot(20, (14,))
    assert str(Snapshot(20, (10, 14))) == "10:20:10,14"
