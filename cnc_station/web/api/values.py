"""The forms of values in the API: times, priorities, and the models of what is taken and answered.

JSON in snake_case, times in RFC 3339 (UTC, ms), durations in seconds.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.job import PRIORITIES

T = TypeVar("T")
MOST_OFFSET = 100_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MS = dt.timedelta(milliseconds=1)
_TIME = {"type": "string", "format": "date-time", "examples": ["2026-11-30T10:00:00.000Z"]}
_MOST_FIELDS = 100  # of one object, except in what a job carries
_MOST_FIELDS_OF_ALL = 25_000
_MOST_ERRORS = 200
_FEW = 3
_OTHER_WORDS: Mapping[str, str] = {
    "extra_forbidden": "is not a field here",
    "missing": "is missing",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "dict_type": "must be a JSON object",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "frozen_set_type": "must be a list",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "int_from_float": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "greater_than_equal": "must be at least {ge}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}


def written(at: int) -> str:
    """Return a time in ms as RFC 3339."""
    moment = dt.datetime.fromtimestamp(at // 1000, dt.UTC)
    return f"{moment.isoformat()[:19]}.{at % 1000:03}Z"


def read_time(value: object) -> object:
    """Return the ms of a time in RFC 3339. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("must be a time such as 2026-11-30T10:00:00Z")  # noqa: TRY004 - for pydantic
    try:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("has no time zone")
        return (moment - _EPOCH) // _MS
    except (ValueError, OverflowError):
        words = "must be a time with its zone, such as 2026-11-30T10:00:00Z"
        raise ValueError(words) from None


def _read_priority(value: object) -> object:
    if isinstance(value, str):
        known = PRIORITIES.get(value.lower())
        if known is None and not value.isdecimal():
            raise ValueError("must be low, medium, high, or a number from 0 to 100")
        return int(value) if known is None else known
    return value


TimeIn = Annotated[int, BeforeValidator(read_time), WithJsonSchema(_TIME)]
TimeOut = Annotated[int, PlainSerializer(written, return_type=str), WithJsonSchema(_TIME)]
PriorityIn = Annotated[
    int,
    BeforeValidator(_read_priority),
    Field(ge=0, le=100),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 100},
                {
                    "type": "string",
                    "pattern": "^([Ll][Oo][Ww]|[Mm][Ee][Dd][Ii][Uu][Mm]|[Hh][Ii][Gg][Hh])$",
                },
            ]
        }
    ),
]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Taken(BaseModel):
    """What a client sends. Unknown fields are refused. `ALIASES`: other names of fields, as known
    from other systems; both given with different values are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ALIASES: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def read(cls, values: object) -> Self:
        """Return the checked values. Raises InvalidInput with every wrong field."""
        if not isinstance(values, Mapping):
            raise InvalidInput(FieldError("body", "must be a JSON object"))
        _check_width(values)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            if (count := error.error_count()) > _MOST_ERRORS and (few := _beginning(values)):
                cls.read(few)
                raise InvalidInput(FieldError("body", f"has {count:,} wrong values")) from None
            raise InvalidInput(*map(_field_error, error.errors(include_url=False))) from None

    @model_validator(mode="before")
    @classmethod
    def _by_their_names(cls, values: Any) -> Any:
        return cls.by_name(values) if isinstance(values, Mapping) else values

    @classmethod
    def by_name(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return values under the names of their fields, also those of a model within another.
        Raises InvalidInput for two that differ."""
        return _without_aliases(values, cls.ALIASES) if cls.ALIASES else values

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Other names are described as deprecated; each does where a field is required."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        fields, wanted = schema.get("properties", {}), schema.get("required", [])
        for alias, name in cls.ALIASES.items():
            fields[alias] = fields[name] | {"deprecated": True}
            if name in wanted:
                wanted.remove(name)
                either = [{"required": [name]}, {"required": [alias]}]
                schema.setdefault("allOf", []).append({"anyOf": either})
        return schema


class PageIn(Taken):
    """A page of a list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=MOST_OFFSET)] = 0

    def of(self, rows: Sequence[T]) -> Sequence[T]:
        """The rows of the page, of all of them."""
        return rows[self.offset : self.offset + self.limit]

    def told(self, total: int) -> dict[str, int]:
        """The fields of a `PageOut`."""
        return {"total": total, "limit": self.limit, "offset": self.offset}


class TakenJson(Taken):
    """As `Taken`, of JSON: its values have their kinds already."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Told(BaseModel):
    """What a client is answered, read from a view of the engine."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class PageOut(Told):
    """A page of a list, and how long the whole list is."""

    total: int
    limit: int
    offset: int


def _without_aliases(values: Mapping[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
    found = dict(values)
    for alias, name in aliases.items():
        if alias in found:
            value = found.pop(alias)
            if found.setdefault(name, value) != value:
                raise InvalidInput(FieldError(name, f"differs from {alias}, its other name"))
    return found


def _check_width(values: Mapping[str, Any]) -> None:
    """Refuse what would keep the validation, which cannot be interrupted, busy for long."""
    fields = 0
    for name, one in [("body", values), *_items(values)]:
        fields += len(one)
        if len(one) > _MOST_FIELDS or fields > _MOST_FIELDS_OF_ALL:
            raise InvalidInput(FieldError(name, f"has more than {_MOST_FIELDS} fields"))


def _items(values: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, items in values.items():
        if isinstance(items, list):
            yield from (
                (f"{name}.{at}", one) for at, one in enumerate(items) if isinstance(one, Mapping)
            )


def _beginning(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the values with the first items of their lists only; None if that is all."""
    few = {name: one[:_FEW] if isinstance(one, list) else one for name, one in values.items()}
    return few if few != values else None


def _field_error(error: Any) -> FieldError:
    place = ".".join(str(part) for part in error["loc"]) or "body"
    words = _OTHER_WORDS.get(error["type"])
    if words is None:
        return FieldError(place, str(error["msg"]).removeprefix("Value error, "))
    return FieldError(place, words.format_map(error.get("ctx", {})))
