"""Other paths of the API, as known from other systems. They are documented as deprecated."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cnc_station.web.api.route import Route

# By the beginning of a path: what stands for it.
PATHS: Mapping[str, str] = {
    "/executions": "/runs",
    "/dead-letter": "/needs-attention",
    "/workers": "/stations",
    "/stats": "/jobs/stats",
}
# The whole API is also served under this prefix.
PREFIX = "/api"


def with_aliases(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return these routes, and after them those of the other paths."""
    routes = tuple(routes)
    taken = {(route.method, route.path) for route in routes}
    more = (alias for route in routes for alias in _aliases(route))
    return (*routes, *(route for route in more if (route.method, route.path) not in taken))


def _aliases(route: Route) -> Iterator[Route]:
    for alias, path in PATHS.items():
        if route.path == path or route.path.startswith(f"{path}/"):
            name = alias + route.path.removeprefix(path)
            words = f"{route.summary}, by another name"
            yield replace(route, path=name, summary=words, deprecated=True)
