"""What holds for every test: one that is skipped, or expected to fail, fails. And figures that tests tell.

`make unit` spreads the tests over processes. What deploys the product mostly waits, and builds in one place: it stays
together in one of them.
"""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

_FIGURES = pytest.StashKey[list[str]]()
_TOGETHER = {"artifact": "deployed", "e2e": "deployed", "local": "emulator"}
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


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Name the group of each test that has one (pytest-xdist, `--dist loadgroup`)."""
    if config.pluginmanager.has_plugin("xdist"):
        for item in items:
            group = _TOGETHER.get(item.path.relative_to(Path(__file__).parent).parts[0])
            if group is not None:
                item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Tell a figure at the end of the run, whether the test passes or fails."""
    return pytestconfig.stash.setdefault(_FIGURES, []).append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the figures of a process to the one that shows them."""
    handed: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if handed is not None:
        handed["figures"] = session.config.stash.get(_FIGURES, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the figures of a process that is done."""
    node.config.stash.setdefault(_FIGURES, []).extend(getattr(node, "workeroutput", {}).get("figures", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The figures, one a line."""
    for figure in config.stash.get(_FIGURES, []):
        terminalreporter.write_line(figure)
