"""A real browser, a real server with two providers, and the looks that are looked at. JavaScript is off: the site needs none."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway import MODEL, Gateway, provider
from playwright.sync_api import Browser, expect, sync_playwright

from trunkline.mock.thread import MockServer

CHROMIUM_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """`acme/echo-1` answers from the mock; everything else lacks its key."""
    folder: Path = tmp_path_factory.mktemp("browser")
    with MockServer() as mock, Gateway(folder, provider(mock.url) + MODEL) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. The driver's event loop must not outlive the module: other tests run loops of their own."""
    path = shutil.which("chromium")
    if path is None:
        assert os.environ.get("CI") != "true", "chromium is not installed: scripts/debian-packages"
        pytest.skip("chromium is not installed")
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield running
        running.close()
