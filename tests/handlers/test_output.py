"""What a run keeps of its output."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.handlers.output import Output

LETTERS = st.text(st.sampled_from("a\n\x00é€🛠"), max_size=40)


def _kept(pieces: list[bytes], kept: int) -> Output:
    output = Output(kept)
    for piece in pieces:
        output.write(piece)
    return output


@given(st.lists(LETTERS, max_size=8), st.integers(4, 60))
def test_it_is_the_beginning_and_the_end_in_whole_characters(texts: list[str], kept: int) -> None:
    whole = "".join(texts).replace("\x00", "\ufffd")
    data = "".join(texts).encode()
    output = _kept([text.encode() for text in texts], kept).kept()
    assert output.size == len(data)
    assert output.truncated is (len(data) > 2 * kept)
    if not output.truncated:
        assert output.text == whole
        return
    first, marked, last = output.text.partition(
        f"\n[… {len(data) - 2 * kept:,} bytes left out …]\n"
    )
    assert marked
    assert whole.startswith(first)
    assert whole.endswith(last)
    assert kept - 3 <= len(first.replace("\ufffd", "\x00").encode()) <= kept
    assert kept - 3 <= len(last.replace("\ufffd", "\x00").encode()) <= kept


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(4, 60), st.integers(1, 40))
def test_it_does_not_matter_in_which_pieces_it_comes(
    pieces: list[bytes], kept: int, size: int
) -> None:
    whole = b"".join(pieces)
    others = [whole[place : place + size] for place in range(0, len(whole), size)]
    assert _kept(pieces, kept).kept() == _kept(others, kept).kept()


def test_small_pieces_take_no_more_memory_than_large_ones() -> None:
    tracemalloc.start()
    output = Output()
    for _ in range(40_000):
        output.write(b"line\n")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 1_000_000
    assert output.size == 200_000


@given(st.lists(LETTERS, max_size=8), st.integers(4, 60), st.data())
def test_its_end_is_in_whole_characters_and_marked_where_it_is_cut(
    texts: list[str], kept: int, data: st.DataObject
) -> None:
    most = data.draw(st.integers(4, kept))
    whole = "".join(texts).replace("\x00", "\ufffd")
    size = len("".join(texts).encode())
    end = _kept([text.encode() for text in texts], kept).end(most)
    if size <= most:
        assert end == whole
        return
    marked, _, last = end.partition("\n")
    assert marked == f"[… {size - most:,} bytes left out …]"
    assert whole.endswith(last)
    assert most - 3 <= len(last.replace("\ufffd", "\x00").encode()) <= most
