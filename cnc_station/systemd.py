"""Tell systemd about this process, as sd_notify(3) describes it. Elsewhere nothing happens."""

import os
import socket


def notify(state: str) -> None:
    """Send a state such as `READY=1` to the service manager that started this process, if one did.
    A manager that does not listen is no error."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # a name without a file
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.connect(address)
            sender.send(state.encode())
    except OSError:
        return
