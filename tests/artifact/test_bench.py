"""What the bench divides by stays what it is, and the sweep makes few calls that the floor does not make."""

import hashlib
from pathlib import Path

import pytest

from bench.detection import detection
from local.aws.launcher import ROOT

pytestmark = pytest.mark.thorough

# Change it and figures of before and after can no longer be compared: say so in bench/results.md.
FLOOR = "8060029d6c3ca10dc7972ad80d2af9abf7239eb7bbc211c8a7a9dbb326991b98"


def test_the_floor_is_frozen() -> None:
    assert hashlib.sha256((ROOT / "bench" / "floor.py").read_bytes()).hexdigest() == FLOOR


def test_the_sweep_makes_the_calls_of_the_floor_and_those_that_the_audit_needs_besides(
    access_layer: Path, layer: Path
) -> None:
    figures = {figure.name: figure for figure in detection((access_layer.parent, layer.parent), {20: 1})}
    sweep, floor = figures["calls: sweep"], figures["calls: floor"]
    assert not sweep.missed, (floor.note, sweep.row())
