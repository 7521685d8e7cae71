"""Archives from anywhere: damaged, cut short, foreign and hostile ones are refused in words."""

import json
import random
import zipfile
from pathlib import Path

import pytest

from cnc_station.engine.backup import archive
from cnc_station.engine.backup.archive import BackupRefused
from cnc_station.engine.domain.backup import Content, Manifest

CONTENT = random.Random(1).randbytes(3_000) + b"x" * 50_000
MANIFEST = Manifest("1.0", "0018", "Mill PC", 1, "station.db", Content({"queued": 2}, 1, 1), (), ())


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "whole.zip"
    parts: list[tuple[str, Path | bytes]] = [("station.db", CONTENT), ("settings.toml", b"a = 1\n")]
    archive.write(path, MANIFEST, parts, lambda _size: None)
    return path


def checked(path: Path) -> Manifest:
    with archive.opened(path) as found:
        found.check()
        return found.manifest


def test_what_was_written_is_read_again(whole: Path, tmp_path: Path) -> None:
    with archive.opened(whole) as found, (tmp_path / "out").open("w+b") as file:
        found.extract("station.db", file, lambda _size: None)
        assert found.manifest.content == MANIFEST.content
    assert (tmp_path / "out").read_bytes() == CONTENT


def test_a_file_that_is_cut_short_anywhere_is_refused(whole: Path) -> None:
    content = whole.read_bytes()
    for length in [*range(0, len(content), 37), len(content) - 1]:
        whole.write_bytes(content[:length])
        with pytest.raises(BackupRefused):
            checked(whole)


def test_a_changed_byte_is_found_or_changes_nothing(whole: Path) -> None:
    content, before = whole.read_bytes(), checked(whole)
    rng = random.Random(7)
    refused = 0
    for _ in range(400):
        changed = bytearray(content)
        changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        whole.write_bytes(changed)
        try:
            assert checked(whole) == before  # a date or a mode of the archive
        except BackupRefused:
            refused += 1
    assert refused > 300


@pytest.mark.parametrize("content", [b"", b"PK", b"\x00" * 100_000, b"SQLite format 3\x00" * 99])
def test_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.zip"
    path.write_bytes(content)
    with pytest.raises(BackupRefused, match="is not a back-up, or it is damaged or cut short"):
        checked(path)


@pytest.mark.parametrize("path", ["", "/dev/null", "/missing/file.zip"])
def test_what_is_not_a_file_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(BackupRefused):
        checked(Path(path or tmp_path))


def rewritten(whole: Path, **changed: object) -> None:
    """The same archive with another manifest."""
    with zipfile.ZipFile(whole) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    manifest = {**json.loads(files["manifest.json"]), **changed}
    with zipfile.ZipFile(whole, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, json.dumps(manifest) if name == "manifest.json" else content)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"format": 2}, "newer CNC Station"),
        ({"format": "x"}, "list of contents is not valid"),
        ({"content": None}, "list of contents is not valid"),
        ({"members": []}, "names no database"),
        ({"created_at": -1}, "list of contents is not valid"),
        (
            {"members": [{"name": "station.db", "size": 5, "sha256": "0"}]},
            "does not hold what its list of contents says",
        ),
    ],
)
def test_a_wrong_manifest_is_refused(whole: Path, changed: dict[str, object], words: str) -> None:
    rewritten(whole, **changed)
    with pytest.raises(BackupRefused, match=words):
        checked(whole)


def test_no_more_is_unpacked_than_the_manifest_promises(whole: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("station.db", bytes(50_000_000))
        member = {"name": "station.db", "size": 1_000, "sha256": "0" * 64}
        packed.writestr(
            "manifest.json", json.dumps({**json.loads(MANIFEST.to_json()), "members": [member]})
        )
    out = tmp_path / "out"
    with (
        pytest.raises(BackupRefused, match=r"station\.db has a wrong checksum"),
        archive.opened(whole) as found,
        out.open("w+b") as file,
    ):
        found.extract("station.db", file, lambda _size: None)
    assert out.stat().st_size <= 1_000


def test_names_that_lead_elsewhere_are_only_names(whole: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(whole, "w") as packed:
        packed.writestr("../../evil", b"x")
        packed.writestr("manifest.json", MANIFEST.to_json())
    with pytest.raises(BackupRefused):
        checked(whole)
    assert {path.name for path in tmp_path.iterdir()} == {"whole.zip"}
