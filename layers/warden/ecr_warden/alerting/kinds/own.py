"""Alerts on what somebody changed of ecr-warden itself, and on credentials."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecr_warden.alerting.delivery import AtOnce, Collected, Routing
from ecr_warden.alerting.kinds.kind import Kind
from ecr_warden.alerting.layout import Parts, listing
from ecr_warden.alerting.wording import call_fields, describe_actor, describe_target
from ecr_warden.model.alert import COMPILED_SPEC, Alert, CredentialMade, Field, OwnChanged
from ecr_warden.model.job import short_name
from ecr_warden.model.run import Severity


class _OwnChanged(Kind[OwnChanged]):
    def severity(self, alert: OwnChanged) -> Severity:
        return Severity.INFO if _is_by_deployment(alert) else Severity.CRITICAL

    def route(self, alert: OwnChanged) -> Routing:
        # A deployment changes several at once.
        return Collected(f"own/{alert.account}") if _is_by_deployment(alert) else AtOnce()

    def describe(self, alerts: Sequence[OwnChanged], *, is_follow_up: bool) -> Parts:
        whole = super().describe(alerts, is_follow_up=is_follow_up)
        if len(alerts) == 1:
            return whole
        changes = [f"{one.thing}: {one.cause.action} by {short_name(one.cause.actor)}" for one in alerts]
        advice = dict.fromkeys(line for one in alerts for line in _advice(one))
        places = " and ".join(dict.fromkeys(map(_place, alerts)))
        title = f"ecr-warden's own roles in {places} were changed"
        return Parts(title, whole.fields, [listing("change", changes), listing("line", [*advice])])

    def describe_one(self, alert: OwnChanged) -> Parts:
        return Parts(
            f"ecr-warden's own {alert.thing} was changed by {short_name(alert.cause.actor)}",
            [
                Field("Who", describe_actor(alert.cause.actor)),
                *call_fields(alert.cause),
                Field("Where", _place(alert)),
            ],
            [listing("line", list(_advice(alert)))],
        )


def _is_by_deployment(changed: OwnChanged) -> bool:
    """Whether CloudFormation made the call, as it does when a stack is deployed."""
    actor = changed.cause.actor
    return actor is not None and actor.invoked_by == "cloudformation.amazonaws.com"


def _place(changed: OwnChanged) -> str:
    return f"account {changed.account}" if changed.account else "the hub"


def _advice(changed: OwnChanged) -> Iterator[str]:
    if changed.thing.startswith(COMPILED_SPEC):
        yield "Every run reads it, and only accepting a spec writes it: nothing is enforced until it is written again."
        yield "Find out who can write the state bucket, then have the spec compiled again: docs/security.md"
        return
    if _is_by_deployment(changed):
        yield "CloudFormation made the call, as it does when the stacks are deployed. If nobody deployed them:"
    else:
        yield "ecr-warden works through it, and only a deployment of its stacks should change it."
        yield "A caller who can change it can use ecr-warden's access or blind it. ecr-warden does not repair it:"
    # Without profile and region the AWS CLI takes the default account, which need not be the changed one.
    command = "aws cloudformation detect-stack-drift --profile ... --region ... --stack-name ecr-warden-member"
    yield f"see what differs: {command} (or the hub's stack)"
    yield "then deploy the stack again: docs/security.md"


_CREDENTIALS = {
    "iam:CreateAccessKey": "access key",
    "iam:CreateLoginProfile": "password",
    "iam:UpdateLoginProfile": "password",
}


class _CredentialMade(Kind[CredentialMade]):
    def describe_one(self, alert: CredentialMade) -> Parts:
        credential = _CREDENTIALS.get(alert.cause.action, "credential")
        lines = [
            "Whoever has it can do what the user can. No policy has changed, so no proof shows it.",
            "If nobody should have it, delete it in the user's account; ecr-warden does not.",
        ]
        return Parts(
            f"{credential} of {describe_target(alert.target)} was made by {short_name(alert.cause.actor)}",
            [Field("Who", describe_actor(alert.cause.actor)), *call_fields(alert.cause)],
            [listing("line", lines)],
        )


OWN: Mapping[type[Alert], Kind[Any]] = {OwnChanged: _OwnChanged(), CredentialMade: _CredentialMade()}
