"""The WebSocket of a station, `/ws`: other programs follow the events of the whole fleet.

`service` serves it, `client` is one connection, `tail` reads the stream of events once for all of
them, `messages` words its events, `protocol` reads what clients send.
"""
