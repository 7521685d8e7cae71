"""The clean-up that the retention settings allow."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from cnc_station.engine.domain.errors import FieldError, Unavailable
from cnc_station.engine.handlers.base import HandlerFailed, HandlerOrder, HandlerResult


class CleanUp:
    """Implements `Handler`: deletes what was kept for as long as the settings say. No payload."""

    name = "system.cleanup"

    def __init__(self, clean_up: Callable[[], Awaitable[Mapping[str, int]]]) -> None:
        self._clean_up = clean_up

    def check(self, payload: Mapping[str, Any]) -> Iterable[FieldError]:
        for name in payload:
            yield FieldError(str(name), "is not used: what is deleted is set with keep_…_days")

    async def run(
        self,
        order: HandlerOrder,  # noqa: ARG002 - the seam's signature
        progress: Callable[[float], None],
    ) -> HandlerResult:
        try:
            deleted = await self._clean_up()
        except Unavailable as error:
            raise HandlerFailed(str(error)) from error
        progress(1.0)
        if not deleted:
            return HandlerResult("everything is kept for ever: no keep_…_days is set")
        counts = ", ".join(f"{kind} {count:,}" for kind, count in deleted.items())
        return HandlerResult(f"deleted: {counts}")
