"""What all queries share."""

from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Query(Generic[T_co]):
    """A question that changes nothing, as a frozen value; `T_co` is what the door answers."""

    __slots__ = ()


class LiveQuery(Query[T_co]):
    """A question that the station answers from memory, at once."""

    __slots__ = ()
