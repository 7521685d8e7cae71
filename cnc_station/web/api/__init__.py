"""The HTTP API of a station, `/api/v1`.

`routes` is the table: method, path, what is needed, taken and answered. The router, the check of
what comes in and `openapi.json` all come from it.
"""
