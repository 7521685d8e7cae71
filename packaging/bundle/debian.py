"""Makes a Debian package of a bundle."""

import gzip
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import shtab
from manual import manual

from cnc_station import __version__
from cnc_station.cli.invocation import Exit
from cnc_station.cli.parser import whole_parser

# What the bundle asks of Debian 12 and 13, whose names with "t64" provide the old ones.
DEPENDS = (
    *("libc6 (>= 2.36)", "libstdc++6", "libgcc-s1", "zlib1g", "libglib2.0-0", "libgl1", "libegl1"),
    *("libx11-6", "libx11-xcb1", "libxcb1", "libxcb-cursor0", "libxcb-glx0", "libxcb-icccm4"),
    *("libxcb-image0", "libxcb-keysyms1", "libxcb-randr0", "libxcb-render0", "libxcb-shape0"),
    *("libxcb-render-util0", "libxcb-shm0", "libxcb-sync1", "libxcb-util1", "libxcb-xfixes0"),
    *("libxcb-xkb1", "libxkbcommon0", "libxkbcommon-x11-0", "libdbus-1-3", "libfontconfig1"),
    *("libfreetype6", "libgssapi-krb5-2", "libbrotli1", "libdrm2", "libzstd1", "passwd", "debconf"),
    *("fonts-dejavu-core", "shared-mime-info", "desktop-file-utils", "hicolor-icon-theme"),
    *("ca-certificates",),
)
_NEEDED = re.compile(r"^\s*NEEDED\s+(\S+)", re.MULTILINE)
_HOME = "usr/lib/cnc-station"
_EXITS = {
    Exit.OK: "done",
    Exit.REFUSED: "refused, or doctor has found a fault; stderr says why",
    Exit.USAGE: "the arguments are not a valid command",
    Exit.UNAVAILABLE: "something that it needs is not there: a server, a display, a file",
    Exit.BUG: "internal error; the log has its trace",
    Exit.INTERRUPTED: "interrupted",
}


def package(bundle: Path, root: Path) -> Path:
    """Return the package. Raises SystemExit if a library belongs to none of DEPENDS."""
    if strange := sorted(_strange(bundle)):
        raise SystemExit("no package of DEPENDS brings " + ", ".join(strange))
    tree = root / "build/debian"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(bundle, tree / _HOME, symlinks=True)
    for file in (tree / _HOME / "_internal").rglob("*"):
        if file.is_file() and not file.is_symlink():
            file.chmod(0o644)  # libraries and texts: nothing there is a program
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/cnc-station").symlink_to("../lib/cnc-station/cnc-station")
    _add_files(tree, root)
    _add_help(tree)
    _add_documents(tree, root)
    _add_control(tree, root)
    made = root / f"dist/cnc-station_{__version__}_amd64.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--build", tree, made]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return made


def _strange(bundle: Path) -> Iterator[str]:
    """The libraries that the bundle needs, does not have, and no package of DEPENDS brings."""
    own = {file.name for file in bundle.rglob("*.so*")}
    needed = {name for file in bundle.rglob("*.so*") for name in _needed(file)} - own
    allowed = {entry.split()[0] for entry in DEPENDS}
    for name in needed:
        found = _output("dpkg", "-S", f"*/{name}")  # fails if nobody owns it
        owners = {line.partition(":")[0].removesuffix("t64") for line in found.splitlines()}
        if not owners & allowed:
            yield f"{name} ({', '.join(owners) or 'not here'})"


def _needed(library: Path) -> list[str]:
    return _NEEDED.findall(_output("objdump", "-p", str(library)))


def _output(*command: str) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


def _add_files(tree: Path, root: Path) -> None:
    here = root / "packaging/debian"
    icon = root / "resources/icons/app/cnc-station.svg"
    for source, place in (
        (here / "cnc-station.desktop", "usr/share/applications"),
        (here / "cnc-station.xml", "usr/share/mime/packages"),
        (here / "cnc-station.service", "usr/lib/systemd/system"),
        (here / "70-cnc-station.rules", "usr/lib/udev/rules.d"),
        (here / "cnc-station.toml", "etc/cnc-station"),
        (icon, "usr/share/icons/hicolor/scalable/apps"),
    ):
        _put(tree / place / source.name, source.read_bytes())


def _add_documents(tree: Path, root: Path) -> None:
    here = root / "packaging/debian"
    # A text of this format starts with the licence's name and has no empty lines.
    name, _, licence = (root / "LICENSE").read_text().partition("\n\n")
    licence = "\n".join(f" {line or '.'}" for line in licence.splitlines()[2:])
    holder = "Copyright: 2026 CNC Station contributors"
    stated = f"{holder}\nLicense: {name.removesuffix(' License')}\n{licence}"
    text = (here / "copyright").read_text().replace("@LICENCE@", stated)
    documents = tree / "usr/share/doc/cnc-station"
    _put(documents / "copyright", text.encode())
    changes = (here / "changelog").read_text().replace("@VERSION@", __version__)
    _put(documents / "changelog.gz", _packed(changes))
    overrides = (here / "lintian-overrides").read_bytes()
    _put(tree / "usr/share/lintian/overrides/cnc-station", overrides)


def _add_help(tree: Path) -> None:
    """The manual page, and what a shell completes."""
    page = manual(whole_parser(), __version__, _EXITS)
    _put(tree / "usr/share/man/man1/cnc-station.1.gz", _packed(page))
    for shell, place in (
        ("bash", "usr/share/bash-completion/completions/cnc-station"),
        ("zsh", "usr/share/zsh/vendor-completions/_cnc-station"),
    ):
        _put(tree / place, shtab.complete(whole_parser(), shell).encode())


def _add_control(tree: Path, root: Path) -> None:
    here = root / "packaging/debian"
    size = sum(file.lstat().st_size for file in tree.rglob("*")) // 1024
    values = {"@VERSION@": __version__, "@SIZE@": str(size), "@DEPENDS@": ", ".join(DEPENDS)}
    control = (here / "control").read_text()
    for name, value in values.items():
        control = control.replace(name, value)
    _put(tree / "DEBIAN/control", control.encode())
    _put(tree / "DEBIAN/conffiles", b"/etc/cnc-station/cnc-station.toml\n")
    _put(tree / "DEBIAN/templates", (here / "templates").read_bytes())
    for script in ("config", "postinst", "prerm", "postrm"):
        _put(tree / "DEBIAN" / script, (here / script).read_bytes(), 0o755)


def _packed(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


def _put(file: Path, content: bytes, mode: int = 0o644) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
