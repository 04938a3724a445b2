"""The stacks that a deployment stands for: places, templates and parameters."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct

from ecr_warden.core.own_access import Writes
from ecr_warden.repair.write_scope import OWNER_LISTS, ROLE_LIST, WRITES, Lists, filled
from ecr_warden_cli.deployment.ports import LiveStack, StackPlace
from ecr_warden_cli.deployment.wanted import Deployment, MemberAccount, Organization
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
RESERVED = "ReservedForRepairs"
"""The parameter of the hub's template for the concurrent executions that only repairs may use."""
OWN_SWITCH = "OwnSwitch"
"""The parameter of the hub's template that says whether the stack makes the stop switch, as versions before did."""
CODE_PREFIX = "CodePrefix"
"""The parameter of the hub's template before the key of each file of code: with another, Lambda takes them all anew."""
SETS = ("ecr-warden-boundary", "ecr-warden-member", "ecr-warden-events")
"""The StackSets of the organization's stack."""
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


def not_ours(wanted: WantedStack, live: LiveStack) -> str:
    """Why a stack of our name is somebody else's; "" if it is described as every version has described its own."""
    begins = f"ecr-warden {wanted.template} - "
    why = f"somebody else's: its description does not begin with '{begins}'"
    return "" if live.description.startswith(begins) else why


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


def stacks_of(deployment: Deployment, shared: str, above: tuple[str, str] = ("", "")) -> tuple[WantedStack, ...]:
    """All stacks: the hub, the members, their events, the organization's.

    `shared`: the ExternalId; `above`: the organization's management account and its root, which the file does not have.
    """
    members, events = _members(deployment), {"HubBusArn": bus_arn(deployment)}
    hub = hub_place(deployment)
    return (
        WantedStack(hub, HUB, _hub(deployment, shared)),
        *(
            # IAM is the same in every region, and this one is enabled in every account.
            WantedStack(
                StackPlace(member.id, IAM_REGION, NAMES[MEMBER]), MEMBER, _member(deployment, member, shared, above[0])
            )
            for member in members
        ),
        *(
            WantedStack(StackPlace(member.id, region, NAMES[EVENTS]), EVENTS, events)
            for member in members
            for region in member.event_regions
        ),
        *(
            WantedStack(
                StackPlace(units.account, hub.region, NAMES[ORGANIZATION]),
                ORGANIZATION,
                _organization(deployment, units, shared, above),
            )
            for units in filter(None, [deployment.organization])
            if units.units
        ),
    )


_ENABLED = re.compile(
    "(us-(east|west)-[12]|ca-central-1|sa-east-1|eu-(west-[123]|central-1|north-1)|ap-(northeast-[123]|south-1|southeast-[12]))"
)
"""The regions that are enabled in every account: all that AWS opens since March 2019 are not."""


def doubts(deployment: Deployment) -> Iterator[str]:
    """What may be in the way, and AWS says only later."""
    if not _ENABLED.fullmatch(deployment.hub_region):
        yield (
            f"{deployment.hub_region} has to be enabled in each account (aws account enable-region), and whether AWS "
            "sends events of us-east-1 there is not known; a hub in another region has neither question"
        )
    of_units = deployment.organization.writes if deployment.organization is not None else Writes.NONE
    if deployment.role_boundary and Writes.ALL in (of_units, *(member.writes for member in deployment.members)):
        yield (
            f"role_boundary is of ecr-warden's own roles: push roles have its boundary, so a policy that demands "
            f"{deployment.role_boundary} on every role has to leave role/ecr-warden/* out"
        )


POLLED, _UNRESERVED = 33, 100
"""How many functions Lambda runs at once for the hub's queues (all MaximumConcurrency of its template together), and
how many AWS leaves an account unreserved."""


def shortage(deployment: Deployment, limit: int) -> str:
    """Why the hub's account may run too few functions at once; "" if they are enough."""
    hub, reserved = f"{deployment.hub_account}/{deployment.hub_region}", int(deployment.parameters.get(RESERVED, 0))
    needed, why = POLLED + 1, f"its queues alone take up to {POLLED}: jobs wait, and may end as dead letters"
    if reserved:
        needed, why = (
            reserved + _UNRESERVED,
            f"AWS refuses {RESERVED}: {reserved} where fewer than {_UNRESERVED} are left",
        )
    return "" if limit >= needed else f"{hub} may run {limit} functions at once, and the hub needs {needed}: {why}"


def _members(deployment: Deployment) -> tuple[MemberAccount, ...]:
    """The members; the hub's account is one, for whoever changes the hub does so there."""
    hub, region = deployment.hub_account, deployment.hub_region
    others = tuple(member for member in deployment.members if member.id != hub)
    own = next((one for one in deployment.members if one.id == hub), MemberAccount(hub, hub, writes=Writes.NONE))
    return (replace(own, regions=(*dict.fromkeys((*own.regions, region)),)), *others)


def _hub(deployment: Deployment, shared: str) -> dict[str, str]:
    organization, members = deployment.organization, _members(deployment)
    is_large = len(members) > _FEW_MEMBERS or (organization is not None and bool(organization.units))
    rate = deployment.schedule or ("rate(1 hour)" if is_large else "rate(15 minutes)")
    return {
        "ExternalId": shared,
        "MemberAccounts": "" if organization is not None else ",".join(member.id for member in members),
        "OrganizationId": organization.id if organization is not None else "",
        "AlertEmail": deployment.email,
        "WebhookReference": deployment.webhook,
        "PagerDutyReference": deployment.pagerduty,
        "RoleBoundary": deployment.role_boundary,
        "SweepSchedule": rate,
        "SweepAlarmHours": str(_alarm_hours(rate)),
        OWN_SWITCH: "false",
        **deployment.parameters,
    }


def _alarm_hours(schedule: str) -> int:
    """After how many hours without a sweep the alarm fires: three in a row, of a schedule that says how often."""
    found = _RATE.fullmatch(schedule)
    hours = _LONGEST_ALARM if found is None else math.ceil(3 * int(found[1]) * _HOURS[found[2]])
    return min(_LONGEST_ALARM, hours)


def _member(deployment: Deployment, member: MemberAccount, shared: str, management: str) -> dict[str, str]:
    # StackSets skip the management account.
    has_set = deployment.organization is not None and deployment.organization.units and member.id != management
    return {
        "HubAccount": deployment.hub_account,
        "ExternalId": shared,
        "HubBusArns": bus_arn(deployment),
        "Writes": member.writes,
        "RoleBoundary": deployment.role_boundary,
        "OwnBoundary": "false" if has_set else "true",
        "ManagedRoles": ",".join(iam_arn(member.id, role) for role in member.roles),
        **_owners(member.id, member.owners),
    }


def _organization(deployment: Deployment, units: Organization, shared: str, above: tuple[str, str]) -> dict[str, str]:
    management, root = above
    return {
        "CallAs": "SELF" if units.account == management else "DELEGATED_ADMIN",
        "ManagementAccount": management,
        "OrganizationRoot": root,
        "MemberUnits": ",".join(units.units),
        "OwnStacks": ",".join(member.id for member in _members(deployment)),
        "EventRegions": ",".join(dict.fromkeys((IAM_REGION, *units.regions))),
        "HubAccount": deployment.hub_account,
        "ExternalId": shared,
        "HubBusArn": bus_arn(deployment),
        "Writes": units.writes,
        "RoleBoundary": deployment.role_boundary,
        **_owners("*", units.owners),
    }


def lists_of(deployment: Deployment, account: str) -> Lists | None:
    """What the deployment lets ecr-warden write in an account; one that it does not name may be in its units."""
    names = (*OWNER_LISTS, ROLE_LIST, WRITES)
    found = (
        one
        for one in stacks_of(deployment, "")
        if one.template == ORGANIZATION or (one.template, one.place.account) == (MEMBER, account)
    )
    lists = (
        {name: given.split(",") for name in names if (given := one.parameters.get(name, "")) not in ("", Writes.ALL)}
        for one in found  # members come first
    )
    return next(lists, None)


def _owners(account: str, names: Sequence[str]) -> dict[str, str]:
    """The lists of whose policies may be written, each as long as CloudFormation takes."""
    lists = filled({}, OWNER_LISTS, [iam_arn(account, name) for name in names])
    return dict.fromkeys(OWNER_LISTS, "") | {name: ",".join(arns) for name, arns in lists}


def read_only(deployment: Deployment) -> Deployment:
    """The same with nothing that can write anywhere."""
    units, none = deployment.organization, Writes.NONE
    return replace(
        deployment,
        members=tuple(replace(member, writes=none) for member in deployment.members),
        organization=None if units is None else replace(units, writes=none),
    )
