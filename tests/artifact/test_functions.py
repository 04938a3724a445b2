"""The built functions under Lambda's runtime client, in an environment without anything else, under their own roles."""

import json
from pathlib import Path
from typing import Any

from bench.counting import D1, ROLE, member_calls
from ecr_warden.core.alert import alert_to_json
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.repair.alerts import OwnChanged
from local.testing.installed import HUB, MEMBER, REPOSITORY, Installed
from local.testing.messages import Message, batch, reconcile
from local.testing.runtime_api import BuiltFunction
from tests.artifact.probe import probed

EVENTS = Path(__file__).parents[2] / "events"
DONE: Any = {"batchItemFailures": []}
MEGABYTE = 1_000_000


def called(installed: Installed, function: BuiltFunction, target: str) -> list[str]:
    """The calls to member accounts of one event that succeeds."""
    mark = installed.aws.mark()
    assert function.invoke(batch(reconcile(target))).value == DONE
    return member_calls(installed.aws.calls(mark))


def test_a_broken_event_is_an_error_that_names_its_kind_and_the_next_event_is_handled(installed: Installed) -> None:
    with installed.function("dispatch") as function:
        answer = function.invoke({"detail-type": "AWS API Call via CloudTrail"})
        assert answer.failed
        assert answer.value["errorType"] == "TriggerError"
        assert not function.invoke(json.loads((EVENTS / "iam-PutRolePolicy.json").read_text())).failed


def test_alert_publishes_an_announcement(installed: Installed) -> None:
    cut = OwnChanged(Cause(CauseKind.EVENT, "e-1", "events:DeleteRule"), MEMBER, "rule ecr-warden-forward-iam")
    with installed.function("alert") as function:
        mark = installed.aws.mark()
        answer = function.invoke({"source": "ecr-warden", "time": "2026-11-24T10:00:00Z", "detail": alert_to_json(cut)})
        assert not answer.failed, f"{answer} {function.log()}"
    published = [call for call in installed.aws.calls(mark) if call.service == "sns"]
    assert [(call.action, call.error) for call in published] == [("Publish", "")]


def test_reconcile_says_that_its_message_failed(reconcile_function: BuiltFunction) -> None:
    answer = reconcile_function.invoke(batch(Message("{", "bad")))
    assert answer.value == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert '"message":"failed"' in reconcile_function.log()


def test_an_event_without_drift_is_one_call_to_the_member(
    installed: Installed, reconcile_function: BuiltFunction
) -> None:
    assert called(installed, reconcile_function, D1) == ["AssumeRole", "GetRepositoryPolicy"]
    assert called(installed, reconcile_function, D1) == ["GetRepositoryPolicy"]
    assert called(installed, reconcile_function, D1) == ["GetRepositoryPolicy"]


def test_it_stays_within_90_mb_of_memory(installed: Installed, reconcile_function: BuiltFunction) -> None:
    called(installed, reconcile_function, D1)
    installed.aws.client(MEMBER, "ecr").delete_repository_policy(repositoryName=REPOSITORY)
    for target in (D1, ROLE, f"user/{HUB}/push-user"):
        called(installed, reconcile_function, target)
    assert reconcile_function.memory() <= 90 * MEGABYTE


def test_a_cold_event_loads_nothing_of_other_functions(installed: Installed, tmp_path: Path) -> None:
    with probed(installed, "reconcile", tmp_path) as function:
        answer = function.invoke(batch(reconcile(D1)))
    assert answer.value["answer"] == DONE
    modules = answer.value["modules"]
    for never in (
        "yaml",
        "ecr_warden.access_spec",
        "ecr_warden.notify.kinds",
        "ecr_warden.notify.webhook",
        "ecr_warden.notify.aws_sns",
        "ecr_warden.collect.aws_estate",
        "ecr_warden.collect.aws_estate_store",
        "ecr_warden.notify.message",
        "ecr_warden_cli.asking.snapshot",
        "iam_access.key_values",
        "iam_access.evaluate.request",
        "ecr_warden.audit",
        "ecr_warden.versions.accept",
        "ecr_warden.audit.audit",
        "ecr_warden.collect.survey",
        "ecr_warden.collect.sweep",
        "aws_lambda_powertools.utilities.batch",
        "aws_lambda_powertools.utilities.parameters",
    ):
        assert [name for name in modules if name == never or name.startswith(f"{never}.")] == []
