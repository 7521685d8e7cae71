"""asyncua's client with limits that the server can't change. Import it where asyncua is needed."""

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_client import UaClient, UASocketProtocol
from asyncua.common.connection import TransportLimits
from asyncua.common.shortcuts import Shortcuts

from cnc_station.peers.limits import OPCUA
from cnc_station.peers.pace import Budget

_CHUNK = 65_535  # bytes; asyncua's own size


class BoundedClient(Client):
    """A client whose server may send only what `OPCUA` permits, in one message and in time.

    A message is decoded in one piece, so its size also limits how long that takes.
    """

    def __init__(self, url: str, timeout: float, watchdog_intervall: float) -> None:
        super().__init__(url, timeout, watchdog_intervall)
        self.uaclient = _BoundedUaClient(timeout)
        self.uaclient.pre_request_hook = self._wait_until_ready
        self.nodes = Shortcuts(self.uaclient.session)


class _BoundedUaClient(UaClient):
    def _make_protocol(self) -> UASocketProtocol:
        usual = super()._make_protocol()
        limits = _FixedLimits(_CHUNK, _CHUNK, OPCUA.bytes // _CHUNK + 2, OPCUA.bytes)
        self.protocol = _BoundedProtocol(self._timeout, self.security_policy, limits)
        self.protocol.pre_request_hook = usual.pre_request_hook
        self.protocol.on_connection_lost = usual.on_connection_lost
        self.protocol.is_session_closing = usual.is_session_closing
        return self.protocol


class _FixedLimits(TransportLimits):
    def update_client_limits(self, msg: ua.Acknowledge) -> None:
        """Take over what the server can receive, but not what it wants to send."""
        self.max_send_buffer = min(self.max_send_buffer, msg.ReceiveBufferSize)


class _BoundedProtocol(UASocketProtocol):
    def __init__(self, timeout: float, security_policy: object, limits: TransportLimits) -> None:
        super().__init__(timeout, security_policy, limits)  # type: ignore[arg-type] # as asyncua passes it
        self._budget = Budget(OPCUA)

    def data_received(self, data: bytes) -> None:
        """End the connection when the server sends too much."""
        waiting = len(self.receive_buffer or b"")
        if self._budget.spend(len(data)) and waiting <= OPCUA.bytes:
            super().data_received(data)
        elif self.transport is not None:
            self.receive_buffer = None
            self.transport.abort()
