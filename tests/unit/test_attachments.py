"""What a file is, by its content alone."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.attachments import (
    MOST_BYTES,
    MOST_SCANS,
    AttachmentKind,
    FileType,
    file_type,
    named,
)
from cnc_station.engine.domain.errors import InvalidInput
from tests.attached_files import PDF, jpeg, png

# A thumbnail in the data of a camera is a whole JPEG of its own.
THUMBNAIL = b"\xff\xe1" + (len(jpeg(9, 9)) + 2).to_bytes(2) + jpeg(9, 9)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (PDF, FileType(AttachmentKind.PDF)),
        (png(640, 480), FileType(AttachmentKind.PNG, 640, 480)),
        (jpeg(1600, 1200), FileType(AttachmentKind.JPEG, 1600, 1200)),
        (jpeg(1600, 1200, more=THUMBNAIL), FileType(AttachmentKind.JPEG, 1600, 1200)),
        (jpeg(1600, 1200) + b"\x00 appended by a phone", FileType(AttachmentKind.JPEG, 1600, 1200)),
    ],
)
def test_a_file_is_known_by_its_bytes(content: bytes, found: FileType) -> None:
    assert file_type(content) == found


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"G0 X0\n", "not a PDF, PNG or JPEG"),
        (b"<html>%PDF-1.4 %%EOF", "not a PDF"),
        (b"GIF89a" + bytes(40), "not a PDF"),
        (PDF[:-8], "cut short"),
        (png(64, 64)[:-12], "cut short"),
        (png(64, 64)[:30], "cut short"),
        (jpeg()[:-2], "cut short"),
        (b"\xff\xd8\xff\xd9", "not a valid JPEG"),
        (png().replace(b"IHDR", b"IDAT"), "not a valid PNG"),
        (png(0, 7), "no picture"),
        (png(60_000, 60_000), "60,000 x 60,000 pixels"),
        (jpeg(65_000, 65_000), "more than 50 million"),
        (jpeg(scans=MOST_SCANS + 1), "scans"),
        (PDF + bytes(MOST_BYTES), "larger than 16 MB"),
    ],
)
def test_what_can_not_be_shown_is_refused_in_words(content: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        file_type(content)


def test_a_name_ends_as_its_kind_and_has_no_folder() -> None:
    assert named("drawing.PDF", AttachmentKind.PDF) == "drawing.PDF"
    assert named("..\\share/photo.jpeg", AttachmentKind.JPEG) == "photo.jpeg"
    assert named("run.exe", AttachmentKind.PNG) == "run.exe.png"
    assert named("/", AttachmentKind.PDF) == "attachment.pdf"


@given(st.sampled_from([PDF, png(), jpeg()]), st.binary(max_size=60), st.integers(0, 80))
def test_any_bytes_are_a_file_or_are_refused(start: bytes, noise: bytes, at: int) -> None:
    with suppress(InvalidInput):
        assert file_type(start[:at] + noise + start[at:]).kind in AttachmentKind
