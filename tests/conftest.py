"""What holds for every test: the same verdict each time, and one that is skipped or expected to fail, fails.

And figures that tests tell.
"""

import gc
import os
from collections.abc import Callable, Generator

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run: the verdict on a commit must not depend on chance, nor on what failed before.
# Times are never asserted either: how long an example takes to make or to try says something of the machine alone.
settings.register_profile(
    "prove",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
# Fewer for `make test`; other and more ones by `--hypothesis-profile=random`, or those of `--hypothesis-seed`.
settings.register_profile("gate", settings.get_profile("prove"), max_examples=10)
settings.register_profile("random", settings.get_profile("prove"), derandomize=False, print_blob=True, max_examples=100)
settings.load_profile("gate")

# Whose machine it is must not show: no test reaches the caller's AWS, and none reaches its own servers by a proxy.
for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(
    filter(None, (os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "127.0.0.1", "localhost"))
)

_FIGURES = pytest.StashKey[list[str]]()
_WHY = "A skipped test proves nothing and looks green: run it, fix it or delete it. It said: "


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


def pytest_collection_finish() -> None:
    """Search less for garbage: what thousands of tests load stays, and going through it cost a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Tell a figure at the end of the run, whether the test passes or fails."""
    return pytestconfig.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The figures, one a line."""
    for figure in config.stash.get(_FIGURES, []):
        terminalreporter.write_line(figure)
