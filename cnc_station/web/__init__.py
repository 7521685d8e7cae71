"""HTTP services of a station. Depends only on the engine's interface.

aiohttp: one library for HTTP and WebSocket servers and for requests, on the existing event loop,
also that of the window.
"""
