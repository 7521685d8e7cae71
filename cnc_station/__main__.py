"""Entry point of the program: `cnc-station`, or `python -m cnc_station`."""

import os
import sys

from cnc_station.cli.run import run


def main() -> None:
    """Run the command line, then exit with its code."""
    sys.exit(run(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
