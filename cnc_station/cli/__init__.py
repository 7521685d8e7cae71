"""The command line: thin commands over the engine's door.

Exit codes: 0 done, 1 refused (bad input, or not allowed now), 2 wrong usage, 3 something the
program needs is not available, 70 a bug. Errors are one plain sentence on stderr, or one JSON
object with `--json`. What a command needs is imported when it runs, so that none pays for Qt.
"""
