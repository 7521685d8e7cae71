"""The command line: thin commands over the engine's interface.

Exit codes: 0 done, 1 refused (invalid input, or not allowed now), 2 wrong usage, 3 something the
program needs is not available, 70 a bug. Errors are one plain sentence on stderr, or one JSON
object with `--json`. Each command imports what it needs when it runs, so that it does not load Qt
needlessly.
"""
