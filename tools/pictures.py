"""`make pictures`: the pictures of the report in docs/, of the example that its tests use."""

import sys
import tempfile
from pathlib import Path

from ecr_warden_cli.page.page import page_of
from local.testing.browser import browsing
from tests.reports import example

DOCS = Path(__file__).parents[1] / "docs"
MAX_BYTES = 150_000
SIZES = {"report-desktop.png": (1100, 1300, 0.7), "report-phone.png": (390, 844, 1.0)}


def main() -> None:
    """Replace the pictures."""
    with tempfile.TemporaryDirectory() as folder, browsing() as browser:
        file = Path(folder) / "report.html"
        file.write_text(page_of(example()))
        for name, (width, height, scale) in SIZES.items():
            page = browser.new_page(
                viewport={"width": width, "height": height}, device_scale_factor=scale, color_scheme="light"
            )
            page.goto(file.as_uri())
            page.wait_for_function("document.documentElement.dataset.ready === '1'")
            # The age of a page is not that of a picture.
            page.evaluate("document.getElementById('age').remove()")
            picture = page.screenshot(path=DOCS / name)
            sys.stdout.write(f"docs/{name}: {len(picture)} bytes\n")
            if len(picture) > MAX_BYTES:
                raise SystemExit(f"docs/{name} has more than {MAX_BYTES} bytes")


if __name__ == "__main__":
    main()
