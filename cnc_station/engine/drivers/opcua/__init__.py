"""OPC UA for Machine Tools (read-only): model, server, driver."""

from cnc_station.engine.drivers.opcua.driver import KIND, OpcUa

__all__ = ["KIND", "OpcUa"]
