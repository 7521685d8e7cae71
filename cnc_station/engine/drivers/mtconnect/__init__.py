"""MTConnect (read only, HTTP and XML): the documents, the agent, the driver."""

from cnc_station.engine.drivers.mtconnect.driver import KIND, MTConnect

__all__ = ["KIND", "MTConnect"]
