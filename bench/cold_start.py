"""Cold starts in pairs: a function of ours, and a bare one under its role with the same clients and calls."""

import json
import statistics
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.counting import D1
from bench.figures import Figure
from ecr_warden.core.alert import alert_to_json
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.repair.alerts import OwnChanged
from local.aws.launcher import ROOT
from local.demo.chat import Chat
from local.testing.installed import HUB, MEMBER, REGION, REPOSITORY, Installed
from local.testing.messages import batch, reconcile
from local.testing.runtime_api import BuiltFunction, layers_in

PAIRS, MOST = 11, 1.25
_WEBHOOK = "/ecr-warden/webhook"

type Given = tuple[BuiltFunction, Any]
"""A function that is not yet started, and its first event."""


def cold(installed: Installed) -> Iterator[Figure]:
    """Of what people wait for: reconcile with nothing to do and with two kinds of repair, alert with what is urgent."""
    yield from _of_reconcile(installed)
    with chat_of(installed):
        yield from _pairs("alert", "urgent alert", lambda: bare_alert(installed), lambda: urgent_alert(installed))


def _of_reconcile(installed: Installed) -> Iterator[Figure]:
    ecr = installed.aws.client(MEMBER, "ecr")
    repository: Any = {"repositoryName": REPOSITORY}
    text = ecr.get_repository_policy(**repository)["policyText"]
    # A document that is there is compared with the spec's, which takes the engine; one that is not there is missed.
    more = json.loads(text)
    more["Statement"] += [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]
    changed = json.dumps(more)
    tampers: tuple[tuple[str, Callable[[], object], str], ...] = (
        ("no drift", lambda: None, ""),
        ("repair of a deleted policy", lambda: ecr.delete_repository_policy(**repository), text),
        ("repair of a changed policy", lambda: ecr.set_repository_policy(**repository, policyText=changed), text),
    )
    for name, tamper, repair in tampers:

        def bare(tamper: Callable[[], object] = tamper, repair: str = repair) -> Given:
            tamper()
            return bare_handler(installed, "reconcile"), {"repair": repair}

        def ours(tamper: Callable[[], object] = tamper) -> Given:
            tamper()
            installed.forget_repairs()
            return installed.function("reconcile"), batch(reconcile(D1))

        yield from _pairs("reconcile", name, bare, ours)


def urgent_alert(installed: Installed) -> Given:
    """Alert, to which no message was given before, and an alert that it has not heard."""
    installed.forget_messages()
    cut = OwnChanged(Cause(CauseKind.EVENT, uuid.uuid4().hex, "events:DeleteRule"), MEMBER, "rule ecr-warden-forward")
    event = {"source": "ecr-warden", "time": "2026-11-24T10:00:00Z", "detail": alert_to_json(cut)}
    return installed.function("alert", WARDEN_WEBHOOK=f"ssm:{_WEBHOOK}"), event


def bare_alert(installed: Installed) -> Given:
    """What `urgent_alert` is compared with."""
    installed.forget_messages()
    return bare_handler(installed, "alert", WARDEN_WEBHOOK=f"ssm:{_WEBHOOK}"), {"by": "events:DeleteRule"}


@contextmanager
def chat_of(installed: Installed) -> Iterator[Chat]:
    """A chat whose webhook alert may read, as the stack with a WebhookReference lets it."""
    iam, ssm = installed.aws.client(HUB, "iam"), installed.aws.client(HUB, "ssm")
    policy = {"RoleName": "ecr-warden-alert", "PolicyName": "webhook"}
    resource = f"arn:aws:ssm:{REGION}:{HUB}:parameter{_WEBHOOK}"
    read = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": resource}
    with Chat() as chat:
        ssm.put_parameter(Name=_WEBHOOK, Value=chat.url, Type="SecureString")
        iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [read]}))
        try:
            yield chat
        finally:
            iam.delete_role_policy(**policy)
            ssm.delete_parameter(Name=_WEBHOOK)


def bare_handler(installed: Installed, function: str, **variables: str) -> BuiltFunction:
    """What a function is compared with, under its role and with its variables."""
    return BuiltFunction(
        "bare",
        code=ROOT / "bench" / "bare" / function,
        layers=layers_in(installed.built),
        environment=installed.environment(function) | variables,
    )


def _pairs(function: str, name: str, bare: Callable[[], Given], ours: Callable[[], Given]) -> Iterator[Figure]:
    group = f"Cold start of {function} to its first answer, beside a bare handler with its clients and calls"
    pairs = [(_first_answer(*bare()), _first_answer(*ours())) for _ in range(PAIRS)]
    for what, kind in (("time", 0), ("processor time", 1)):
        its, mine = [one[kind] for one, _ in pairs], [other[kind] for _, other in pairs]
        ratio = statistics.median(one / other for one, other in zip(mine, its, strict=True))
        for who, times in (("bare handler", its), (function, mine)):
            yield Figure(f"{group} ({PAIRS} pairs)", f"{name}, {what}: {who}", statistics.median(times) * 1000, "ms")
        yield Figure(f"{group} ({PAIRS} pairs)", f"{name}, {what}: ratio, median of the pairs", ratio, "x", MOST)


def _first_answer(function: BuiltFunction, event: Any) -> tuple[float, float]:
    """Seconds, and processor seconds."""
    with function:
        answer, seconds = function.timed(event)
        assert not answer.failed, answer
        return seconds, function.processor_seconds()
