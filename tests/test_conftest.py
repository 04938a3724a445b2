"""The rule of conftest.py, tried on a test file in each way of not being run."""

import subprocess
import sys
from pathlib import Path

import pytest

CASES = {
    "decorator": "@pytest.mark.skip(reason='later')\ndef test_it(): pass",
    "condition": "@pytest.mark.skipif(True, reason='later')\ndef test_it(): pass",
    "call": "def test_it(): pytest.skip('later')",
    "fixture": "@pytest.fixture\ndef thing(): pytest.skip('later')\ndef test_it(thing): pass",
    "expected_failure": "@pytest.mark.xfail(reason='later')\ndef test_it(): assert False",
    "unexpected_pass": "@pytest.mark.xfail(reason='later')\ndef test_it(): pass",
    "whole_module": "pytest.skip('later', allow_module_level=True)",
    "missing_import": "pytest.importorskip('no_such_module', reason='later')\ndef test_it(): pass",
    "sibling_that_runs": "def test_it(): assert True",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The summary line of each case, from one pytest run over all of them."""
    folder = tmp_path_factory.mktemp("cases")
    (folder / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    for name, body in CASES.items():
        (folder / f"test_{name}.py").write_text(f"import pytest\n\n{body}\n")
    options = ["-rA", "--continue-on-collection-errors", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1, run.stdout
    summary = [line for line in run.stdout.splitlines() if line.startswith(("PASSED", "FAILED", "ERROR", "SKIPPED"))]
    return {name: line for name in CASES for line in summary if f"test_{name}.py" in line}


@pytest.mark.parametrize("way", [name for name in CASES if name != "sibling_that_runs"])
def test_a_test_that_does_not_run_fails_and_says_why(way: str, outcomes: dict[str, str]) -> None:
    assert outcomes[way].startswith(("FAILED", "ERROR"))


def test_a_test_that_runs_and_passes_passes(outcomes: dict[str, str]) -> None:
    assert outcomes["sibling_that_runs"].startswith("PASSED")
