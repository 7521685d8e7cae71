"""Entry point of the program: `cnc-station`, or `python -m cnc_station`."""

import os
import sys


def main() -> None:
    """Run the command line, then exit with its code. `--guard` is for the program itself."""
    if sys.argv[1:] == ["--guard"]:
        from cnc_station.engine.handlers.guard import main as guard  # noqa: PLC0415 - and no more

        guard()
        return
    from cnc_station.cli.run import run  # noqa: PLC0415 - as above

    sys.exit(run(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
