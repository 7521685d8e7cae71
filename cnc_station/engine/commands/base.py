"""What every command is."""

from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Command(Generic[T_co]):
    """Something to be changed, as a frozen value; `T_co` is what the door answers.

    The door raises InvalidInput, Conflict, Fenced, Unavailable or NotPermitted. A command over
    many items answers for each item instead.
    """

    __slots__ = ()
