"""The limits of what a client sends, described in `openapi.json` as they are checked.

Those of texts and numbers are the limits of the class of the engine that they become a field of.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cnc_station.engine.commands import ActOnJobs
from cnc_station.engine.domain.admission import DEFAULT, Text
from cnc_station.web.api.values import Id


def limits(kind: type, name: str) -> Any:
    """The limits of the field `name` of a class, for the annotation of a field here."""
    numbers: Mapping[str, tuple[float, float]] = getattr(kind, "NUMBERS", {})
    if name in numbers:
        least, most = numbers[name]
        return Field(ge=least, le=most)
    texts: Mapping[str, Text] = getattr(kind, "TEXTS", {})
    return Field(max_length=texts.get(name, DEFAULT).most)


def described(pattern: str) -> Any:
    """The form of a text that the engine checks, and words its error."""
    return Field(json_schema_extra={"pattern": f"^({pattern})$"})


def one_of(words: Iterable[str]) -> str:
    """The pattern of one of these words."""
    return "|".join(words)


def list_of(words: str) -> str:
    """The pattern of such words with commas between them, or of none."""
    return f"(({words})(,({words}))*)?"


def words_of(text: str) -> list[str]:
    """Return the words of a list with commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _without_gaps(text: str) -> str:
    if text and not all(word.strip() for word in text.split(",")):
        raise ValueError("has nothing before or after a comma")
    return text


Ids = Annotated[list[Id], Field(min_length=1, max_length=500)]
Count = Annotated[int, Field(ge=0)]  # of what a filter selects
Words = Annotated[str, AfterValidator(_without_gaps), described(list_of("[^,]+"))]
Reason = Annotated[str, limits(ActOnJobs, "reason")]
