"""What all commands share."""

from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)

MOST_IN_BATCH = 500  # jobs in a transaction: others wait for as long as it takes


class Command(Generic[T_co]):
    """Something to be changed, as a frozen value; `T_co` is what the door answers.

    The door checks its texts (`domain.admission`): `TEXTS` names those that are not a line of text.
    The door raises InvalidInput, Conflict, Fenced, Unavailable or NotPermitted. A command over
    many items answers for each item instead.
    """

    __slots__ = ()
