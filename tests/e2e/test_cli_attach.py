"""`cnc-station attach`."""

import json
from pathlib import Path

from tests.attached_files import PDF, png
from tests.engine.command_line import cli


def test_files_are_attached_to_a_job_and_listed(tmp_path: Path) -> None:
    database = tmp_path / "station.db"
    assert cli(database, "submit", "--name", "Flange", "--type", "mill").returncode == 0
    (tmp_path / "drawing.pdf").write_bytes(PDF)
    (tmp_path / "vice").write_bytes(png())
    (tmp_path / "notes.txt").write_text("plain words")
    files = [str(tmp_path / name) for name in ("drawing.pdf", "vice")]
    done = cli(database, "attach", "1", *files)
    assert done.returncode == 0, done
    assert "drawing.pdf, vice.png" in done.stdout + done.stderr
    listed = json.loads(cli(database, "attach", "1", "--json").stdout)["attachments"]
    assert [(row["name"], row["kind"], row["size"]) for row in listed] == [
        ("drawing.pdf", "pdf", len(PDF)),
        ("vice.png", "png", len(png())),
    ]
    assert "vice.png" in cli(database, "attach", "1").stdout
    wrong = cli(database, "attach", "1", str(tmp_path / "notes.txt"))
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "not a PDF, PNG or JPEG" in wrong.stderr
    assert "no job 7" in cli(database, "attach", "7", files[0]).stderr
