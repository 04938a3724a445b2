"""One browser for all tests of the page, without a network."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from ecr_warden_cli.page.page import page_of
from ecr_warden_cli.report.report import Report
from local.testing.browser import browsing
from tests.reports import example

# On a machine that is busy with other tests.
expect.set_options(timeout=60_000)

type Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as started:
        yield started


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Report], Path]:
    """Write a report's page to a file."""

    def write(report: Report) -> Path:
        file = tmp_path_factory.mktemp("page") / "report.html"
        file.write_text(page_of(report))
        return file

    return write


@pytest.fixture(scope="module")
def example_file(written: Callable[[Report], Path]) -> Path:
    return written(example())


@pytest.fixture
def open_page(browser: Browser, example_file: Path) -> Iterator[Open]:
    """Open a page at a fragment, by default the example's; an error or a request of the page fails the test."""
    problems: list[str] = []
    pages: list[Page] = []

    def opened(fragment: str = "", *, file: Path = example_file, width: int = 1280, dark: bool = False) -> Page:
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        uri = file.as_uri()
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.set_default_timeout(60_000)
        pages.append(page)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("request", lambda request: problems.append(request.url) if request.url != uri else None)
        page.goto(f"{uri}{fragment}")
        page.wait_for_function("document.documentElement.dataset.ready === '1'")
        return page

    yield opened
    for page in pages:
        page.close()
    assert problems == []
