"""What databases complain about, in words for the person in front of the screen."""

import re

# What SQLite's own words mean to the person in front of the screen.
_OF_A_FILE = (
    ("database or disk is full", "The disk is full: nothing was saved. Free some space."),
    (
        "readonly database",
        "The database file can't be written: the file or its folder is read-only.",
    ),
    ("unable to open", "The database file can't be opened: its folder is missing or read-only."),
    ("not a database", "The file is no CNC Station database; it was left as it is."),
    ("malformed", "The database file is damaged. It was left as it is: restore a copy."),
    ("disk i/o error", "The disk reports an error: nothing was saved."),
    ("database is locked", "The database is busy with another program; try again."),
)
AWAY = "The database server can't be reached."
# What PostgreSQL says, in English; in another language the last sentence has to do.
_OF_A_SERVER = (
    (
        r"password authentication failed|no password supplied",
        (
            "The database server refuses this station's name or password: set it with "
            "`cnc-station secret set database`."
        ),
    ),
    (
        r"certificate|does not support ssl|ssl error: .* alert",
        (
            "No secure connection to the database server: look at its certificate and at sslmode, "
            "sslrootcert, sslcert and sslkey in the address."
        ),
    ),
    (r"pg_hba\.conf", "The database server does not let this computer in (its pg_hba.conf)."),
    (
        r"read-only transaction",
        "The database server takes no changes: it is a standby, or was made read-only.",
    ),
    (
        r"no space left on device|could not extend file",
        "The disk of the database server is full: nothing was saved.",
    ),
    (
        r"too many (clients|connections)|connection slots are reserved",
        "The database server has no connection left for this station: raise its max_connections.",
    ),
    (r'database ".*" does not exist', "The database server has no database of that name."),
)


def sqlite_message(complaint: str) -> str | None:
    """What a file's complaint (in lower case) means; None if it is not about the environment."""
    return next((sentence for words, sentence in _OF_A_FILE if words in complaint), None)


def postgres_message(complaint: str) -> str:
    """What it means that a server, or the way to it, complains (in lower case)."""
    found = (sentence for words, sentence in _OF_A_SERVER if re.search(words, complaint))
    return next(found, AWAY)
