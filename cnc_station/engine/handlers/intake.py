"""Handlers at intake: the names that other systems use, and the check of each payload."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.handlers.base import Handler, RestrictedHandler

_NAMES = {"sleep": "test.delay", "delay": "test.delay", "echo": "test.echo", "log": "test.log"}
_FIELDS = {"test.delay": {"delayMs": "durationMs"}}


def accept(spec: JobSpec, handlers: Mapping[str, Handler], *, alone: bool) -> JobSpec:
    """Return the validated spec under the names that we use. Raises InvalidInput with every invalid
    field, and if nobody may run it: `alone` there is no other station. A handler that this station
    does not have is checked where it runs."""
    spec = _renamed(spec).validated()
    handler = handlers.get(spec.handler)
    if handler is None:
        return spec
    errors = tuple(handler.check(spec.payload))
    if errors:
        raise InvalidInput(*(FieldError(f"payload.{e.field}", e.reason) for e in errors))
    if alone and (why := _refusal(handler, spec.payload)):
        raise InvalidInput(FieldError("handler", why))
    return spec


def _refusal(handler: Handler, payload: Mapping[str, Any]) -> str:
    return handler.refusal(payload) if isinstance(handler, RestrictedHandler) else ""


def _renamed(spec: JobSpec) -> JobSpec:
    name: object = spec.handler
    handler = _NAMES.get(spec.handler, spec.handler) if isinstance(name, str) else spec.handler
    payload: object = spec.payload
    if (aliases := _FIELDS.get(handler)) and isinstance(payload, Mapping):
        return replace(spec, handler=handler, payload=_renamed_fields(payload, aliases))
    return replace(spec, handler=handler) if handler != spec.handler else spec


def _renamed_fields(payload: Mapping[str, Any], aliases: Mapping[str, str]) -> Mapping[str, Any]:
    if aliases.keys().isdisjoint(payload):
        return payload
    found: dict[str, Any] = {}
    for name, value in payload.items():
        ours = aliases.get(name, name)
        if ours in found and found[ours] != value:
            raise InvalidInput(FieldError(f"payload.{ours}", f"{name} says something else"))
        found[ours] = value
    return found
