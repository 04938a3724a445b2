"""The wiring in memory: as the templates of this version deploy it, until somebody cuts it."""

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ecr_warden.collect.stacks import content_of
from ecr_warden.collect.wiring import TRAIL_BUS, HubPlace, SeenWire
from ecr_warden.collect.wiring_verdicts import (
    HUB_RULES,
    OWN_POLICIES,
    OWN_ROLES,
    QUEUES,
    TOPICS,
    UNDELIVERED,
    EventRule,
    known_of_hub,
    pseudo,
    rules_of,
)
from ecr_warden.core.failures import PortError
from local.testing.seed import CI

HUB = HubPlace(
    CI,
    "eu-central-1",
    "spec",
    "external-id",
    f"arn:aws:cloudformation:eu-central-1:{CI}:stack/ecr-warden/1",
    "Team@example.com",
)
PARAMETERS = {
    "MemberAccounts": "111111111111,222222222222",
    "OrganizationId": "",
    "SweepSchedule": "rate(15 minutes)",
}
OF_MEMBER = dict.fromkeys(("ManagedOwners", "ManagedOwners2", "ManagedOwners3", "ManagedRoles", "RoleBoundary"), "") | {
    "HubBusArns": HUB.bus,
    "Writes": "all",
    "OwnBoundary": "true",
}
TRAIL = {
    "name": "arn:aws:cloudtrail:eu-central-1:111111111111:trail/all",
    "multi": True,
    "home": "eu-central-1",
    "global": True,
    "organization": False,
    "logging": True,
    "selectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All"}],
}


@cache
def hub() -> tuple[SeenWire, ...]:
    """The hub's own wires as they are deployed."""
    known = known_of_hub(HUB) | PARAMETERS
    stack = {"status": "UPDATE_COMPLETE", "parameters": PARAMETERS, "content": ""}
    content = content_of("hub")
    bus, bucket = (content.properties(one, known) for one in ("TrailBusPolicy", "SpecBucketPolicy"))
    queues = [f"mapping of {queue} to {function}" for function, polled in QUEUES.items() for queue in polled]
    return (
        SeenWire("stack of the hub", "the hub", stack),
        *(_rule(rule, "hub", known, "") for rule in HUB_RULES),
        SeenWire(
            f"policy of bus {TRAIL_BUS}", "events", {"policy": {"Statement": [{"Sid": "members", **bus["Statement"]}]}}
        ),
        SeenWire("notification of s3://spec to EventBridge", "new versions of the spec", {}),
        SeenWire("versioning of s3://spec", "versions", {"state": "ENABLED"}),
        SeenWire("policy of bucket s3://spec", "the spec", {"policy": bucket["PolicyDocument"]}),
        *(SeenWire(name, "messages", {"state": "ENABLED"}) for name in queues),
        *(
            SeenWire(f"e-mail subscription of {topic}", delivers, {"subscriptions": [f"arn:aws:sns:{topic}:1"]})
            for topic, delivers in TOPICS.items()
        ),
    )


@cache
def region_of(account: str, region: str) -> tuple[SeenWire, ...]:
    """A region of a member as it is deployed."""
    place, known = f" of {account} in {region}", {**pseudo(account, region), "HubBusArn": HUB.bus}
    stack = {"status": "CREATE_COMPLETE", "parameters": {}, "content": content_of("events").digest}
    return (
        SeenWire(f"trail{place}", "calls", {"trails": [TRAIL]}),
        *(_rule(rule, "events", known, place) for rule in rules_of(region)),
        SeenWire(f"queue {UNDELIVERED}{place}", "what rules cannot deliver", {"messages": 0}),
        SeenWire(f"stack of the events{place}", "rules", stack),
    )


@cache
def account_of(account: str) -> tuple[SeenWire, ...]:
    """The member stack of an account, its roles and its boundary as they are deployed."""
    content = content_of("member")
    own = {"HubAccount": HUB.account, "ExternalId": HUB.external_id}
    policies = {logical: f"arn:aws:iam::{account}:policy/ecr-warden/{name}" for logical, name in OWN_POLICIES.items()}
    known = {**pseudo(account, ""), **OF_MEMBER, **own, **policies}
    stack = {"status": "CREATE_COMPLETE", "parameters": OF_MEMBER, "content": content.digest}
    roles = {name: content.properties(logical, known) for logical, name in OWN_ROLES.items()}
    documents = {name: content.properties(logical, known) for logical, name in OWN_POLICIES.items()}
    return (
        SeenWire(f"stack of the member {account}", "roles", stack),
        *(SeenWire(f"role {name} in {account}", "roles", _role(properties)) for name, properties in roles.items()),
        *(
            SeenWire(f"policy {name} in {account}", "roles", made and {"policy": made["PolicyDocument"]})
            for name, made in documents.items()
        ),
    )


def _rule(rule: EventRule, stack: str, known: Mapping[str, str], where: str) -> SeenWire:
    content = content_of(stack)
    logical = next(one for one, body in content.resources.items() if body["Properties"].get("Name") == rule.name)
    properties = content.properties(logical, known)
    found = {
        "state": "ENABLED",
        "pattern": properties.get("EventPattern"),
        "schedule": properties.get("ScheduleExpression", ""),
        "stack": "arn:aws:cloudformation:us-east-1:111111111111:stack/ecr-warden-events/1",
        "targets": properties["Targets"],
    }
    return SeenWire(f"rule {rule.name}{where}", rule.delivers, found)


def _role(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "trust": properties["AssumeRolePolicyDocument"],
        "inline": {one["PolicyName"]: one["PolicyDocument"] for one in properties.get("Policies", ())},
        "attached": properties.get("ManagedPolicyArns", []),
        "boundary": properties.get("PermissionsBoundary", ""),
    }


@dataclass(slots=True)
class MemoryWiring:
    """All wires are on, except those that a test cuts; `reads`: how often each part was read."""

    edits: dict[str, SeenWire] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    place: HubPlace = HUB

    def hub(self) -> Sequence[SeenWire]:
        self.reads.append("hub")
        return self._edited(hub())

    def region(self, account: str, region: str) -> Sequence[SeenWire]:
        self.reads.append(f"{account}/{region}")
        return self._edited(region_of(account, region))

    def account(self, account: str, entry: Mapping[str, Any] | None) -> Sequence[SeenWire]:
        self.reads.append(account)
        if entry is None:
            return [SeenWire(f"roles of ecr-warden in {account}", "roles", error="not surveyed", code="not-surveyed")]
        return self._edited(account_of(account))

    def _edited(self, seen: Sequence[SeenWire]) -> list[SeenWire]:
        return [self.edits.get(wire.name, wire) for wire in seen]

    def edit(self, name: str, **facts: Any) -> None:
        """Somebody changes what AWS has of a wire."""
        wire = self._wire(name)
        self.edits[name] = replace(wire, found={**(wire.found or {}), **facts})

    def remove(self, name: str) -> None:
        """Somebody deletes it."""
        self.edits[name] = replace(self._wire(name), found=None)

    def hide(self, name: str, error: PortError) -> None:
        """It cannot be read."""
        why, passing = str(error), error.retryable
        self.edits[name] = replace(self._wire(name), found=None, error=why, code=error.code, passing=passing)

    def restore(self, name: str) -> None:
        """It is as it was deployed."""
        del self.edits[name]

    def _wire(self, name: str) -> SeenWire:
        known = [
            *hub(),
            *(wire for account in ("111111111111", "222222222222") for wire in account_of(account)),
            *(wire for account in ("111111111111", "222222222222") for wire in region_of(account, "us-east-1")),
            *region_of("222222222222", "eu-central-1"),
        ]
        return next(wire for wire in known if wire.name == name)
