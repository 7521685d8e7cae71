"""The list of allowed commands, which only an administrator may write."""

import os
import random
import time
from pathlib import Path

import pytest

from cnc_station.engine.handlers.allowed_commands import (
    AllowList,
    NotAllowed,
    refuse_writable_by_others,
)
from tests.handlers.allowing import allow

RSYNC = """
[[command]]
path = "/usr/bin/rsync"
args = ["-a", "/srv/nc/[a-z]+"]
more_args = "--exclude=.*"
folders = ["/srv/nc"]
env = ["CUSTOMER"]
timeout_s = 60
[[command]]
path = "/usr/bin/rsync"
args = ["--version"]
"""


@pytest.mark.parametrize(
    "args",
    [["-a", "/srv/nc/mill"], ["-a", "/srv/nc/x", "--exclude=a", "--exclude="], ["--version"]],
)
def test_each_argument_has_to_match_at_its_place(tmp_path: Path, args: list[str]) -> None:
    folder = "/srv/nc" if args[0] == "-a" else None
    entry = AllowList(allow(tmp_path, RSYNC)).find("/usr/bin/rsync", args, folder, {})
    assert entry.timeout_s == (60 if folder else 3_600)


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["-a"],
        ["-a", "/srv/nc/mill/../../etc"],
        ["-a", "/srv/nc/mill\n"],
        ["-av", "/srv/nc/mill"],
        ["-a", "/srv/nc/mill", "--delete"],
        ["--version", "--version"],
    ],
)
def test_other_arguments_are_refused(tmp_path: Path, args: list[str]) -> None:
    with pytest.raises(NotAllowed, match="/usr/bin/rsync"):
        AllowList(allow(tmp_path, RSYNC)).find("/usr/bin/rsync", args, None, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[command]", "can't be read"),
        ("[[commands]]\npath = '/bin/ls'", "commands is not known"),
        ("command = 3", "each entry must be"),
        ("[[command]]\npath = 'ls'", "must be an absolute path"),
        ("[[command]]\npath = '/bin/../bin/ls'", "must be an absolute path"),
        ("[[command]]\npath = '/bin/ls'\nargs = ['(']", "is not a regular expression"),
        ("[[command]]\npath = '/bin/ls'\nargs = '-l'", "args must be a list of texts"),
        ("[[command]]\npath = '/bin/ls'\nenv = ['LD_PRELOAD']", "LD_PRELOAD can't be allowed"),
        ("[[command]]\npath = '/bin/ls'\nenv = ['PATH']", "PATH can't be allowed"),
        ("[[command]]\npath = '/bin/ls'\nenv = ['BASH_ENV']", "BASH_ENV can't be allowed"),
        ("[[command]]\npath = '/bin/ls'\nenv = ['PYTHONPATH']", "PYTHONPATH can't be allowed"),
        ("command = " + "[" * 5_000, "nested too deep"),
        ("# " + "x" * 1_000_000, "is larger than"),
        ("[[command]]\npath = '/bin/ls'\nroot = true", "root is not known"),
        ("[[command]]\npath = '/bin/ls'\ntimeout_s = true", "timeout_s must be a whole number"),
    ],
)
def test_a_wrong_list_allows_nothing_and_says_why(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(NotAllowed, match=words):
        AllowList(allow(tmp_path, text)).commands()


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_list_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(NotAllowed, match=r"commands\.toml can be changed by others"):
        AllowList(allow(tmp_path, RSYNC, mode)).commands()


def test_a_list_in_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    listed = allow(folder, RSYNC)
    link = tmp_path / "link.toml"
    link.symlink_to(listed)
    folder.chmod(0o777)
    for path in (listed, link):  # they could replace it
        with pytest.raises(NotAllowed, match="open can be changed by others"):
            refuse_writable_by_others(path)
    folder.chmod(0o1777)  # as /tmp is: they can't
    refuse_writable_by_others(listed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_list_of_another_user_is_refused(tmp_path: Path) -> None:
    listed = allow(tmp_path, RSYNC)
    os.chown(listed, 65534, 65534)
    with pytest.raises(NotAllowed, match="must belong to root"):
        AllowList(listed).commands()


def test_a_list_that_is_missing_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="No such file"):
        AllowList(tmp_path / "none.toml").commands()


def test_a_changed_list_counts_at_once(tmp_path: Path) -> None:
    allowed = AllowList(allow(tmp_path, RSYNC))
    assert len(allowed.commands()) == 2
    allow(tmp_path, "[[command]]\npath = '/bin/ls'\n")
    assert [entry.path for entry in allowed.commands()] == ["/bin/ls"]


def test_a_link_on_the_way_that_others_may_replace_is_refused(tmp_path: Path) -> None:
    open_folder, own = tmp_path / "open", tmp_path / "own"
    for folder in (open_folder, own):
        folder.mkdir()
    real = allow(own, RSYNC)
    (open_folder / "current.toml").symlink_to(real)
    link = own / "link.toml"
    link.symlink_to(open_folder / "current.toml")
    refuse_writable_by_others(link)
    open_folder.chmod(0o777)  # neither the link nor the file lies there
    with pytest.raises(NotAllowed, match="open can be changed by others"):
        refuse_writable_by_others(link)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link away")
def test_a_link_of_another_user_in_a_common_folder_is_refused(tmp_path: Path) -> None:
    common = tmp_path / "common"
    common.mkdir()
    common.chmod(0o1777)
    link = common / "link.toml"
    link.symlink_to(allow(tmp_path, RSYNC))
    refuse_writable_by_others(link)
    os.chown(link, 65534, 65534, follow_symlinks=False)
    with pytest.raises(NotAllowed, match="must belong to root"):
        refuse_writable_by_others(link)


def test_links_that_lead_to_themselves_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(NotAllowed, match="symbolic links"):
        refuse_writable_by_others(tmp_path / "a")


def test_arguments_that_take_long_to_check_are_refused_at_once(tmp_path: Path) -> None:
    entry = "[[command]]\npath = '/bin/x'\nmore_args = '(a|b)*a(a|b){200}c'\n"
    listed = AllowList(allow(tmp_path, entry * 20))
    assert listed.find("/bin/x", ["a" * 201 + "c"], None, {}).path == "/bin/x"
    args = ["".join(random.Random(seed).choices("ab", k=30_000)) for seed in range(20)]
    begun = time.process_time()
    with pytest.raises(NotAllowed, match="too long to be checked"):
        listed.find("/bin/x", args, None, {})
    assert time.process_time() - begun < 0.2
