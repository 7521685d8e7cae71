"""The certificate with which a station proves itself, and its renewal without a restart."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from cnc_station import private_files
from cnc_station.engine.domain.errors import Unavailable

log = logging.getLogger(__name__)

LOOK_S = 60.0  # how soon renewed files are noticed

_Seen = tuple[tuple[int, int, int], ...]


class Certificate:
    """A certificate chain and its private key, in PEM. A connection gets the context of the files
    as they were last sound."""

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain, self._key = chain, key
        self._seen: _Seen = ()
        self._context: ssl.SSLContext

    def load(self) -> None:
        """Read the files. Raises Unavailable with what is wrong with them."""
        self._seen = self._look()
        if not private_files.is_private(self._key):
            raise Unavailable(
                f"Other accounts may read the key {self._key}, so it may have been copied. "
                f"Make a new one, readable by this user alone: chmod 600 {self._key}"
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._chain, self._key, password=lambda: "")
        except ssl.SSLError as error:
            raise Unavailable(
                f"{self._chain} and {self._key} are not a certificate and its key, both in PEM "
                "and without a password.",
                raw=str(error),
            ) from error
        except OSError as error:
            raise Unavailable(
                f"{self._chain} or {self._key} can't be read: {error.strerror}."
            ) from error
        self._context = context

    def context(self) -> ssl.SSLContext:
        """Return what a new connection is encrypted with."""
        return self._context

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """Load the files again when they change."""
        watching = asyncio.create_task(self._watch(), name="renewal of the certificate")
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if await asyncio.to_thread(self._look) != self._seen:
                    await asyncio.to_thread(self.load)
                    log.info("the renewed certificate %s is in use", self._chain)
            except Unavailable as error:
                log.error("the former certificate stays in use: %s", error)  # noqa: TRY400 - a sentence

    def _look(self) -> _Seen:
        found = []
        for path in (self._chain, self._key):
            with suppress(OSError):
                status = path.stat()
                found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(found)
