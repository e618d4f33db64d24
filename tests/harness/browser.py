"""Chromium for the tests of the page."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()


def launch(playwright: Playwright) -> Browser:
    """A browser without a window. It makes a socket among its temporary files, whose path is limited to 107 bytes."""
    env = {**os.environ, "TMPDIR": "/tmp"}
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, env=env)


def open_page(browser: Browser, address: str, faults: list[str], **settings: Any) -> Page:
    """A page logged in as admin that may fetch from nowhere else."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
    context.add_cookies([{"name": "_token", "value": "admin", "url": address}])
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on(
        "request", lambda r: None if r.url.startswith((address.rsplit("/", 1)[0], "data:")) else faults.append(r.url)
    )
    return page
