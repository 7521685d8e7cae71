"""The package that `./dev installer` made, and Debian systems with it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installed import roots
from tests.installed.roots import Root

DIST = Path(__file__).parents[2] / "dist"
ME = "anna"


@pytest.fixture(scope="session")
def package() -> Path:
    if why := roots.missing():
        pytest.skip(why)
    found = sorted(DIST.glob("cnc-station_*_amd64.deb"), key=os.path.getmtime)
    if not found:
        pytest.skip("no package is built: ./dev installer")
    return found[-1]


@pytest.fixture(scope="session", params=["bookworm", "trixie"])
def suite(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="session")
def layers(package: Path, suite: str) -> Iterator[tuple[Path, Path]]:
    """A bare Debian with the package and what it asks of Debian, and a person's account."""
    below = roots.bare(suite)
    with Root(below) as root:
        put_in(root, package)
        root.install("/srv/cnc-station.deb")
        root.run("useradd", "--create-home", ME)
        root.stop()
        yield root.changed, below


@pytest.fixture
def debian(layers: tuple[Path, Path]) -> Iterator[Root]:
    """With the package, and nothing done yet."""
    with Root(*layers) as root:
        yield root


def put_in(root: Root, package: Path) -> None:
    """As /srv/cnc-station.deb."""
    subprocess.run(["cp", package, root.path("/srv/cnc-station.deb")], check=True)
