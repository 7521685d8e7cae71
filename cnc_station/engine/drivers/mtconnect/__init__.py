"""MTConnect (read-only, HTTP and XML): documents, agent, driver."""

from cnc_station.engine.drivers.mtconnect.driver import KIND, MTConnect

__all__ = ["KIND", "MTConnect"]
