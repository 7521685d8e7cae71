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
        cause = _cause(error)
        if getattr(driver, "closed", False):
            connection.invalidate(cause)
        raise DBAPIError.instance(None, None, cause, errors.Error) from error


def _cause(error: Exception) -> BaseException:
    """What was sent behind a broken statement complains as well, perhaps before that is asked."""
    aborted = type(error).__name__ == "PipelineAborted"
    return error.__context__ if aborted and error.__context__ else error
