"""The browser that the Makefile unpacks (tools/chromium.py), for tests and pictures of the report."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path(__file__).parents[2] / ".tools" / "chromium"


@contextmanager
def browsing() -> Iterator[Browser]:
    """One browser process; it needs neither root nor anything that the machine has installed."""
    libraries, fonts = CHROMIUM / "al2023" / "lib", CHROMIUM / "fonts" / "fonts"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM / "chromium",
            args=["--no-sandbox", "--disable-gpu", "--no-zygote", "--disable-lcd-text"],
            env={"LD_LIBRARY_PATH": str(libraries), "FONTCONFIG_PATH": str(fonts), "HOME": str(CHROMIUM)},
        )
        try:
            yield browser
        finally:
            browser.close()
