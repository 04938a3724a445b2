"""What holds for every test: one that is skipped, or expected to fail, fails."""

from collections.abc import Generator

import pytest

_WHY = "A skipped test proves nothing and looks green: run it, mend it or delete it. It said: "


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip, an expected failure and an unexpected pass into a failure."""
    report = yield
    if report.skipped or hasattr(report, "wasxfail"):
        reason = getattr(report, "wasxfail", "") or _reason(report.longrepr)
        report.outcome = "failed"
        report.longrepr = _WHY + reason
        vars(report).pop("wasxfail", None)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module (importorskip) into a failure."""
    report = yield
    if report.skipped:
        report.longrepr = _WHY + _reason(report.longrepr)
        report.outcome = "failed"
    return report


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
