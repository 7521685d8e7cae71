"""The program's start: `cnc-station`, or `python -m cnc_station`."""

import os
import sys

from cnc_station.cli.run import run


def main() -> None:
    """Do what the command line says, then exit with its code."""
    sys.exit(run(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
