"""Attachments, set-up sheets and travelers in the window."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QIODevice,
    QMimeData,
    QPoint,
    QPointF,
    QSize,
    Qt,
    QUrl,
)
from PySide6.QtGui import QColor, QDropEvent, QImage, QImageWriter

from cnc_station.engine.commands import (
    ActOnJobs,
    AddMachine,
    AddProgram,
    AttachFile,
    EditSetUpSheet,
    SubmitJobs,
)
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.attachments import AttachmentKind, file_type
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import ListAttachments, SetUpSheetOf
from cnc_station.ui.dialogs.set_up import SetUpDialog
from cnc_station.ui.floor.card_text import CardAction
from cnc_station.ui.pages.floor import FloorPage
from cnc_station.ui.set_up.content import of_job
from cnc_station.ui.set_up.desktop_viewer import DesktopViewer, desktop_viewer
from cnc_station.ui.set_up.panel import SetUpPanel
from cnc_station.ui.set_up.picture_dialog import PictureDialog
from cnc_station.ui.set_up.pictures import decoded
from cnc_station.ui.set_up.traveler import job_code, paper_of
from cnc_station.ui.set_up.traveler_paper import draw
from tests.attached_files import PDF, jpeg, png
from tests.ui.at_the_machine import comes_to, tap
from tests.ui.controller_fleet import (
    IDLE,
    LINUXCNC,
    LINUXCNC_ANSWERS,
    PROGRAM,
    Scripted,
    Shop,
    spec,
)
from tests.ui.real_engine import Office, opened
from tests.until import until


@pytest_asyncio.fixture
async def panel(office: Office) -> AsyncIterator[SetUpPanel]:
    async with opened(office, SetUpPanel(office.context)) as panel:
        yield panel


@pytest.fixture
def shown_outside(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What the desktop's viewer is given."""
    found: list[tuple[str, bytes]] = []

    async def show(_viewer: DesktopViewer, name: str, content: bytes) -> None:
        found.append((name, content))

    monkeypatch.setattr(DesktopViewer, "show", show)
    return found


async def job_with_program(office: Office) -> tuple[int, str]:
    stored = await office.door.execute(AddProgram("bracket.ngc", PROGRAM.encode()))
    made = JobSpec("Bracket", "mill", program=stored.sha256, notes="Deburr.\nBag each part.")
    (job_id,) = await office.door.execute(SubmitJobs([made]))
    return job_id, stored.sha256


def drop(panel: SetUpPanel, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    keys, buttons = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    at = QPointF(QPoint(5, 5))
    panel.dropEvent(QDropEvent(at, Qt.DropAction.CopyAction, data, buttons, keys))


async def test_dropped_files_are_shown_opened_removed_and_brought_back(
    office: Office, panel: SetUpPanel, tmp_path: Path, shown_outside: list[tuple[str, bytes]]
) -> None:
    job_id, _ = await job_with_program(office)
    panel.show_job(job_id)
    await until(lambda: panel.content)
    assert panel.job_notes.words.text() == "Deburr.\nBag each part."
    files = {"vice.png": png(64, 48), "drawing.pdf": PDF, "broken.png": b"no picture"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    drop(panel, *(tmp_path / name for name in files), tmp_path / "other.step")
    await until(lambda: len(panel.files.buttons) == 2)
    await until(lambda: office.said.failed == ["broken.png is not a PDF, PNG or JPEG."])
    photo, drawing = panel.files.buttons.values()
    await until(lambda: photo.has_picture)
    drawing.click()
    await until(lambda: shown_outside)
    assert shown_outside == [("drawing.pdf", PDF)]
    photo.click()
    (dialog,) = panel.findChildren(PictureDialog)
    await until(lambda: dialog.said.text() == "64 × 48")
    dialog.reject()
    panel.files.removed.emit(drawing.row)
    await until(lambda: len(panel.files.buttons) == 1)
    assert office.said.done[-1] == "drawing.pdf: removed"
    assert office.said.undo is not None
    office.said.undo()
    await until(lambda: len(panel.files.buttons) == 2)
    kept = await office.door.ask(ListAttachments(job_id=job_id))
    assert [row.name for row in kept] == ["vice.png", "drawing.pdf"]


async def test_the_sheet_of_a_program_is_written_in_the_window(
    office: Office, panel: SetUpPanel
) -> None:
    job_id, sha256 = await job_with_program(office)
    panel.show_program(sha256)
    await until(lambda: panel.content)
    form = panel.edit()
    assert form is not None
    form.fields["notes"].set_value("Soft jaws.\nStop left.")
    form.tools[4].setText("stick-out 30")
    form.offsets["G54"].setText("fixed jaw, top")
    form.first_part.setChecked(True)
    late = panel.edit()
    assert late is not None
    form.save()
    await until(lambda: panel.sheet_notes.words.text() == "Soft jaws.\nStop left.")
    assert panel.tools.facts.pairs()["T4"] == "D=8 FLAT END MILL · stick-out 30"
    assert panel.offsets.facts.pairs() == {"G54": "fixed jaw, top"}
    late.fields["notes"].set_value("Hard jaws.")
    late.save()
    await until(lambda: "changed by somebody else" in late.trouble.text())
    late.reject()
    panel.show_job(job_id)
    await until(lambda: panel.content and panel.content.job)
    assert panel.first_part.text() == "The first part of each run is to be checked."
    assert not panel.check_button.isVisibleTo(panel)  # it does not run yet
    sheet = await office.door.ask(SetUpSheetOf(sha256))
    assert sheet is not None
    assert (sheet.version, sheet.edited_by) == (1, "tester")


async def test_the_operator_sees_the_sheet_sets_up_and_checks_the_first_part(
    office: Office, panel: SetUpPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    mill = Scripted(IDLE, LINUXCNC_ANSWERS)
    Shop({"mill": mill}).register(monkeypatch)
    job_id, sha256 = await job_with_program(office)
    await office.door.execute(AttachFile("vice.png", png(640, 480), [job_id]))
    await office.door.execute(
        EditSetUpSheet(sha256, "Soft jaws.", {1: "new inserts"}, first_part=True)
    )
    async with opened(office, FloorPage(office.context)) as page:
        machine = spec("Mill 1", LINUXCNC, "mill", "VF-2", operator_starts=True)
        await office.door.execute(AddMachine(machine))
        await tap(page, CardAction.SET_UP)
        dialog = page.at_machine.dialog
        assert isinstance(dialog, SetUpDialog)
        found = {line.text(): line.found for line in dialog.rows}
        assert found["Notes"] == "Deburr.\nBag each part.\nSoft jaws."
        assert found["Tools"].startswith("T1  D=50 FACE MILL · new inserts\nT4")
        assert found["First part"]
        (picture,) = dialog.files.buttons.values()
        await until(lambda: picture.has_picture)
        for line in dialog.rows:
            line.click()
        dialog.start.click()
        await comes_to(office, job_id, JobState.RUNNING)
        panel.show_job(job_id)
        await until(lambda: panel.check_button.isVisibleTo(panel))
        panel.check_button.click()
        await until(lambda: panel.first_part.text().startswith("First part checked by tester, "))
        assert not panel.check_button.isVisibleTo(panel)
        await office.door.execute(ActOnJobs(JobAction.ABORT, [job_id]))


async def test_a_traveler_has_the_whole_set_up_and_a_code_that_opens_the_job(
    office: Office,
) -> None:
    job_id, sha256 = await job_with_program(office)
    lines = "\n".join(f"step {n}: " + "measure the bore " * 12 for n in range(40))
    await office.door.execute(EditSetUpSheet(sha256, lines, {1: "new inserts"}, first_part=True))
    await office.door.execute(AttachFile("sheet.pdf", PDF, program=sha256))
    content = await of_job(office.door, job_id)
    assert content is not None
    picture = QImage(400, 300, QImage.Format.Format_RGB32)
    paper = paper_of(content, [("vice.png", picture)], 1_790_003_400_000, "anna")
    assert (paper.title, paper.code) == ("Bracket", f"{job_id:06}")
    assert paper.sections[0] == ("Notes", "Deburr.\nBag each part.")
    assert paper.sections[-1] == ("Also attached", "sheet.pdf")
    assert dict(paper.tables)["Tools"][0] == ("T1", "D=50 FACE MILL · new inserts")
    pdf = await asyncio.to_thread(draw, paper)
    assert file_type(pdf).kind is AttachmentKind.PDF
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 4
    assert int(job_code(1_234_567)) == 1_234_567


def test_a_picture_is_decoded_upright_within_its_room_or_not_at_all() -> None:
    image = QImage(400, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert QImageWriter(buffer, QByteArray(b"jpg")).write(image)
    plain = bytes(buffer.data().data())
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06"
    exif += bytes(6)
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + plain[2:]
    room = QSize(100, 100)
    for content, size in ((plain, QSize(100, 50)), (turned, QSize(50, 100))):
        found = decoded(content, AttachmentKind.JPEG, room)
        assert found is not None
        assert found.size() == size
    assert decoded(jpeg(40, 30), AttachmentKind.JPEG, room) is None  # it has no picture
    assert decoded(plain, AttachmentKind.PNG, room) is None  # not what was checked
    small = decoded(png(7, 5), AttachmentKind.PNG, room)
    assert small is not None
    assert small.size() == QSize(7, 5)


async def test_a_viewer_gets_a_private_copy_and_its_absence_is_told() -> None:
    seen: list[tuple[str, bytes, int]] = []

    def opens(path: Path) -> None:
        seen.append((path.name, path.read_bytes(), path.stat().st_mode & 0o777))
        if len(seen) > 1:
            raise OSError("xdg-open is not installed")

    viewer = DesktopViewer(opens)
    await viewer.show("../-x; rm *\u202e.pdf", PDF)
    ((name, content, mode),) = seen
    assert (content, mode) == (PDF, 0o600)
    assert re.fullmatch(r"[\w -]+\.pdf", name)
    assert not name.startswith("-")
    with pytest.raises(Unavailable, match="Save a copy"):
        await viewer.show("drawing.pdf", PDF)
    assert desktop_viewer is not viewer
