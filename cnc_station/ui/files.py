"""Writing what a person wants to keep outside."""

import asyncio
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.errors import Unavailable


async def write_file(path: Path, content: bytes) -> None:
    """Writes it, off the loop. Raises Unavailable with what to do."""
    try:
        await asyncio.to_thread(path.write_bytes, content)
    except OSError as error:
        said = QCoreApplication.translate(
            "Files", "{name} can't be written: {why}. Choose another place."
        )
        raise Unavailable(said.format(name=path, why=error.strerror or error)) from error
