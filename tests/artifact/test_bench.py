"""What the bench divides by stays what it is, and makes the calls of what it is compared with."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from bench.cold_start import bare_alert, bare_handler, chat_of, urgent_alert
from bench.counting import D1
from bench.detection import detection
from local.aws.launcher import ROOT
from local.testing.installed import MEMBER, REPOSITORY, Installed
from local.testing.messages import batch, reconcile
from local.testing.runtime_api import BuiltFunction

pytestmark = pytest.mark.thorough

# Change it and figures of before and after can no longer be compared: say so in bench/results.md.
FLOOR = "8060029d6c3ca10dc7972ad80d2af9abf7239eb7bbc211c8a7a9dbb326991b98"


def test_the_floor_is_frozen() -> None:
    assert hashlib.sha256((ROOT / "bench" / "floor.py").read_bytes()).hexdigest() == FLOOR


def calls(installed: Installed, name: str, function: BuiltFunction, event: object) -> Counter[str]:
    """Those of the first event of a container; of the table, how many read and how many write."""
    mark = installed.aws.mark()
    with function:
        answer = function.invoke(event)
        assert not answer.failed, answer
    made = (call for call in installed.aws.calls(mark) if f"ecr-warden-{name}" in call.principal)
    return Counter(
        f"table, {'write' if call.write else 'read'}" if call.service == "dynamodb" else call.action for call in made
    )


@pytest.mark.parametrize("repair", [False, True], ids=["without drift", "with a repair"])
def test_the_bare_handler_makes_the_calls_of_reconcile(installed: Installed, repair: bool) -> None:
    ecr = installed.aws.client(MEMBER, "ecr")
    text = ecr.get_repository_policy(repositoryName=REPOSITORY)["policyText"]
    made = []
    for function, event in (
        (bare_handler(installed, "reconcile"), {"repair": text if repair else ""}),
        (installed.function("reconcile"), batch(reconcile(D1))),
    ):
        if repair:
            ecr.delete_repository_policy(repositoryName=REPOSITORY)
        made.append(calls(installed, "reconcile", function, event))
    assert made[0] == made[1]


def test_the_bare_handler_makes_the_calls_of_alert_and_its_post(installed: Installed) -> None:
    with chat_of(installed) as chat:
        bare = calls(installed, "alert", *bare_alert(installed))
        assert len(chat.messages) == 1
        ours = calls(installed, "alert", *urgent_alert(installed))
        assert len(chat.messages) == 2
    assert bare == ours
    assert bare["Publish"] == bare["PutEvents"] == bare["GetParameter"] == 1


def test_the_sweep_makes_the_calls_of_the_floor_and_those_that_the_audit_needs_besides(
    access_layer: Path, layer: Path
) -> None:
    figures = {figure.name: figure for figure in detection((access_layer.parent, layer.parent), {20: 1})}
    sweep, floor = figures["calls: sweep"], figures["calls: floor"]
    assert not sweep.missed, (floor.note, sweep.row())
