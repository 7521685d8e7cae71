"""Entry point of the program: `cnc-station`, or `python -m cnc_station`."""

import os
import sys

from cnc_station.bundled import READ_TABLE


def main() -> None:
    """Run the command line, then exit with its code. Two words are for the program itself."""
    if sys.argv[1:] == ["--guard"]:
        from cnc_station.engine.handlers.guard import main as guard  # noqa: PLC0415 - and no more

        guard()
        return
    if sys.argv[1:] == [READ_TABLE]:
        from cnc_station.engine.services.table_child import main as read  # noqa: PLC0415 - as above

        sys.exit(read())
    from cnc_station.cli.run import run  # noqa: PLC0415 - not for those two
    from cnc_station.private_files import forbid_core_dumps  # noqa: PLC0415 - likewise

    forbid_core_dumps()
    sys.exit(run(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
