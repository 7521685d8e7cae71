"""What a station serves over HTTP; knows the engine's door and nothing behind it.

aiohttp: one library that serves HTTP and WebSocket and makes requests, all on the loop that is
there, the window's included.
"""
