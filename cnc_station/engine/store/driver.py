"""Past SQLAlchemy, where it has no words for what a database driver can do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


@contextmanager
def driver_of(connection: Connection) -> Iterator[Any]:
    """The driver's own connection, which complains as SQLAlchemy would."""
    driver: Any = connection.connection.driver_connection
    errors: Any = connection.dialect.loaded_dbapi
    try:
        yield driver
    except errors.Error as error:
        # What was sent behind a broken statement complains as well, perhaps before it is asked.
        aborted = isinstance(error, errors.errors.PipelineAborted)
        cause = error.__context__ if aborted and error.__context__ else error
        if driver.closed:
            connection.invalidate(cause)
        raise DBAPIError.instance(None, None, cause, errors.Error) from error
