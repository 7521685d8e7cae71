"""Convert values to JSON and back, by their types.

Unknown fields of a newer version are ignored. pydantic is loaded with the first value, or by
`prepare` on a thread: it takes longer than a window may block.
"""

from collections.abc import Callable, Hashable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(kind: Hashable) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter  # noqa: PLC0415 - see above

    return TypeAdapter(cast(Any, kind))


def prepare(*kinds: Any) -> None:
    """Prepare for values of these types. Slow."""
    for kind in kinds:
        _adapter(kind)


def dump(kind: Any, value: object) -> bytes:
    """Return a value of type `kind` as JSON. It is not checked: `load` does that."""
    return _adapter(kind).dump_json(value, exclude_none=True, warnings=False)


def load(kind: Callable[..., T], data: bytes) -> T:
    """Return the value of JSON. Raises ValueError if it is not a valid `kind`."""
    return cast(T, _adapter(kind).validate_json(data))


def check(kind: Callable[..., T], value: object) -> T:
    """Return the value of parsed JSON. Raises ValueError if it is not a valid `kind`."""
    return cast(T, _adapter(kind).validate_python(value))
