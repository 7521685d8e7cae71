import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.mtconnect.driver import MTConnect
from cnc_station.engine.drivers.opcua.driver import OpcUa
from cnc_station.engine.drivers.read_only import ReadOnlyDriver


@pytest.mark.parametrize(
    "watcher",
    [
        MTConnect.make({"url": "http://ann:horse@127.0.0.1:1"}),
        MTConnect.make({"url": "http://ann:horse@127.0.0.1:99999"}),
        OpcUa.make({"url": "opc.tcp://ann:horse@127.0.0.1:1"}),
    ],
)
async def test_errors_do_not_contain_the_password_of_the_address(
    watcher: ReadOnlyDriver,
) -> None:
    with pytest.raises(Unavailable, match="127") as caught:
        await watcher.connect()
    await watcher.close()
    assert "horse" not in f"{caught.value}{watcher.traffic()}"
