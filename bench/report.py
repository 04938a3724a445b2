"""The report of 1,000 repositories and 500 principals: how long it takes, and how large its page is."""

import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page

from bench.figures import Figure
from bench.open_to_all import report_of
from bench.who_can import snapshot, spec_of
from ecr_warden.audit.finding import AuditRecord, Condition, ConditionStatus, RepositoryHealth
from ecr_warden.audit.findings import find
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import Estate
from ecr_warden_cli.page.page import MAX_BYTES, page_of
from ecr_warden_cli.page.rows import to_csv
from ecr_warden_cli.report.make import Beside, make_report
from ecr_warden_cli.report.matrix import Sources
from ecr_warden_cli.report.report import Origin, PartRead, Report
from ecr_warden_cli.verbs.report import report_to_json
from local.testing.browser import browsing
from tests.snapshots import estate_from_text

_GROUP = "report of 1,000 repositories and 500 principals (processor time, in a process of its own)"
_LARGEST = "report of 60 accounts with 5 roles each that may pull from 400 repositories"
_REPOSITORIES, _PRINCIPALS = 1000, 500
_NOW = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)


def run() -> Iterator[Figure]:
    """The figures, each with its target."""
    ran = subprocess.run([sys.executable, "-m", "bench.report"], check=True, capture_output=True, text=True)
    found = json.loads(ran.stdout)
    yield Figure(_GROUP, "the audit of the same estate", found["audit"], "s")
    yield Figure(_GROUP, "from the estate to the report", found["report"], "s", 5)
    yield Figure(_GROUP, "from the report to the page", found["page"], "s", 1)
    yield Figure(_GROUP, "the page", found["bytes"] / 1e6, "MB", MAX_BYTES / 1e6)
    yield Figure(_GROUP, "resident at its peak", found["memory"], "MB", 300)
    yield from _on_paper()


def _on_paper() -> Iterator[Figure]:
    """Of 120,400 accesses that few statements give."""
    report = report_of(60, 5, 400)
    with tempfile.TemporaryDirectory() as folder, browsing() as browser:
        file = Path(folder) / "report.html"
        file.write_text(page_of(report))
        page = browser.new_page()
        page.goto(file.as_uri())
        page.wait_for_function("document.documentElement.dataset.ready === '1'")
        yield Figure(_LARGEST, "pages of paper", pages_of(page), "", 29)
    yield Figure(_LARGEST, "the table", len(to_csv(report).encode()) / 1e6, "MB", 2)
    yield Figure(_LARGEST, "the JSON", len(json.dumps(report_to_json(report)).encode()) / 1e6, "MB")


def pages_of(page: Page) -> int:
    """How many pages the PDF has that the browser writes."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))


def large() -> Report:
    """That report; its spec gives all the access that there is."""
    return _report(*_estate())


def _estate() -> tuple[Estate, CompiledSpec]:
    given = snapshot(_REPOSITORIES, principals=_PRINCIPALS)
    return estate_from_text(json.dumps(given), at=_NOW), spec_of(given)


def _report(estate: Estate, compiled: CompiledSpec) -> Report:
    fine = Condition(ConditionStatus.TRUE, "Fine", "as the spec says", _NOW)
    health = {str(one.target): RepositoryHealth(fine, fine, fine) for one in estate.repositories()}
    parts = [PartRead(account, "", _NOW, _NOW) for account in compiled.accounts]
    beside = Beside(_NOW, Origin.HUB, parts)
    return make_report(Sources(estate, compiled, health), AuditRecord(_NOW, compiled.version, {}), beside)


def _main() -> None:
    estate, compiled = _estate()
    start = time.process_time()
    find(estate, compiled, None, None)
    audited = time.process_time() - start
    start = time.process_time()
    report = _report(estate, compiled)
    made = time.process_time() - start
    start = time.process_time()
    page = page_of(report)
    written = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = {"bytes": len(page.encode()), "memory": memory}
    print(json.dumps({"audit": audited, "report": made, "page": written, **sizes}))


if __name__ == "__main__":
    _main()
