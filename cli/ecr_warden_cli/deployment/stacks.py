"""The stacks that a deployment stands for: places, templates and parameters."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct

from ecr_warden.repair.write_scope import OWNER_LISTS, filled
from ecr_warden_cli.deployment.ports import StackPlace
from ecr_warden_cli.deployment.wanted import Deployment, MemberAccount, Writes
from iam_access.arn import IAM_REGION, iam_arn

HUB, MEMBER, EVENTS, ORGANIZATION = "hub", "member", "events", "organization"
"""The templates of a release, by name."""
NAMES: Mapping[str, str] = {
    HUB: "ecr-warden",
    MEMBER: "ecr-warden-member",
    EVENTS: "ecr-warden-events",
    ORGANIZATION: "ecr-warden-organization",
}
"""Of their stacks."""
_FEW_MEMBERS = 20
"""With more, reading all of them every 15 minutes costs more than it finds."""
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_HOURS = {"minute": 1 / 60, "hour": 1, "day": 24}
_LONGEST_ALARM = 24


class WantedStack(Struct, frozen=True):
    """One stack as it should be."""

    place: StackPlace
    template: str
    parameters: Mapping[str, str]


def external_id(deployment: Deployment) -> str:
    """What the members' roles require of a hub that has none yet: no other hub can have its account and region."""
    return f"ecr-warden-{deployment.hub_account}-{deployment.hub_region}"


def bus_arn(deployment: Deployment) -> str:
    """The hub's bus for the members' events."""
    return f"arn:aws:events:{deployment.hub_region}:{deployment.hub_account}:event-bus/ecr-warden-trail"


def code_bucket(deployment: Deployment) -> str:
    """The name of the bucket CodeBucket of the hub's template."""
    return f"ecr-warden-code-{deployment.hub_account}-{deployment.hub_region}"


def hub_place(deployment: Deployment) -> StackPlace:
    """Where the hub's stack is."""
    return StackPlace(deployment.hub_account, deployment.hub_region, NAMES[HUB])


def stacks_of(deployment: Deployment, shared: str) -> tuple[WantedStack, ...]:
    """All stacks: the hub, the members, their events, the organization's; `shared`: the ExternalId."""
    members = deployment.members
    return (
        WantedStack(hub_place(deployment), HUB, _hub(deployment, shared)),
        *(
            # IAM is the same in every region, and this one is enabled in every account.
            WantedStack(StackPlace(member.id, IAM_REGION, NAMES[MEMBER]), MEMBER, _member(deployment, member, shared))
            for member in members
        ),
        *(
            WantedStack(StackPlace(account, region, NAMES[EVENTS]), EVENTS, {"HubBusArn": bus_arn(deployment)})
            for account, region in _event_places(deployment)
        ),
    )


def _event_places(deployment: Deployment) -> Iterator[tuple[str, str]]:
    for member in deployment.members:
        for region in member.event_regions:
            yield member.id, region


def _hub(deployment: Deployment, shared: str) -> dict[str, str]:
    rate = deployment.schedule or ("rate(15 minutes)" if len(deployment.members) <= _FEW_MEMBERS else "rate(1 hour)")
    return {
        "ExternalId": shared,
        "MemberAccounts": ",".join(member.id for member in deployment.members),
        "AlertEmail": deployment.email,
        "WebhookReference": deployment.webhook,
        "SweepSchedule": rate,
        "SweepAlarmHours": str(_alarm_hours(rate)),
        **deployment.parameters,
    }


def _alarm_hours(schedule: str) -> int:
    """After how many hours without a sweep the alarm fires: three in a row, of a schedule that says how often."""
    found = _RATE.fullmatch(schedule)
    if found is None:
        return _LONGEST_ALARM
    return min(_LONGEST_ALARM, math.ceil(3 * int(found[1]) * _HOURS[found[2]]))


def _member(deployment: Deployment, member: MemberAccount, shared: str) -> dict[str, str]:
    return {
        "HubAccount": deployment.hub_account,
        "ExternalId": shared,
        "HubBusArns": bus_arn(deployment),
        "ManagedRoles": ",".join(_arns(member.id, member.roles)),
        **dict.fromkeys(OWNER_LISTS, ""),
        **{name: ",".join(arns) for name, arns in filled({}, OWNER_LISTS, _arns(member.id, member.owners))},
    }


def _arns(account: str, names: Sequence[str]) -> list[str]:
    return [iam_arn(account, name) for name in names]


def read_only(deployment: Deployment) -> Deployment:
    """The same with nothing that can write anywhere."""

    return replace(deployment, members=tuple(replace(member, writes=Writes.NONE) for member in deployment.members))
