"""Pages that travel with the program: one file each, which loads nothing from anywhere else."""

import base64
import hashlib
from dataclasses import dataclass
from string import Template

from aiohttp import web

from cnc_station.bundled import bundled


@dataclass(frozen=True, slots=True)
class Page:
    """The page, and what a browser may load for it: nothing but its own style and script."""

    content: bytes
    policy: str

    def response(self) -> web.Response:
        headers = {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": self.policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(
            body=self.content, content_type="text/html", charset="utf-8", headers=headers
        )


def assemble(name: str, *, asks: bool = False, **values: str) -> Page:
    """Return `resources/web/NAME.html` with its style, its script and these values, which must be
    HTML. `asks`: its script asks the station that served it."""
    style, script = _text(f"{name}.css"), _text(f"{name}.js")
    allowed = (
        "default-src 'none'",
        f"style-src '{_hash(style)}'",
        f"script-src '{_hash(script)}'",
        *(("connect-src 'self'",) if asks else ()),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    html = Template(_text(f"{name}.html")).substitute(style=style, script=script, **values)
    return Page(html.encode(), "; ".join(allowed))


def _text(name: str) -> str:
    return bundled("web", name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
