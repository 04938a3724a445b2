"""CloudFormation of many accounts in memory: stacks are their templates, and a resource fails if its name says so."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.collect.estate import Reading
from ecr_warden.collect.wiring import HubPlace, SeenWire, Wiring
from ecr_warden.core.clock import Clock
from ecr_warden_cli.deployment.ports import (
    UNREAD,
    ChangeSet,
    Instance,
    Kind,
    LiveStack,
    Proposal,
    Remains,
    RunningFunction,
    StackChange,
    StackFailed,
    StackPlace,
    Thing,
)
from ecr_warden_cli.deployment.remedies import remedy_for
from ecr_warden_cli.terminal.context import Failure, Hub, NotEntered
from local.testing.memory.wiring import MemoryWiring
from local.testing.printed import complete_account


@dataclass
class MemoryCloud:
    """The accounts; `failing`: why a resource fails, by its logical ID.

    `refusing`: an error by the method's name, of all stacks or, as `read ecr-warden in ACCOUNT/REGION`, of one.
    """

    stacks: dict[StackPlace, LiveStack] = field(default_factory=dict)
    templates: dict[StackPlace, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    refusing: dict[str, BaseException] = field(default_factory=dict)
    refused: dict[str, NotEntered] = field(default_factory=dict)
    hubs: Callable[[], Hub] | None = None
    things: list[Thing] = field(default_factory=list)
    """What is there beside stacks."""
    outputs: Callable[[StackPlace, Proposal], Mapping[str, str]] = lambda _, __: {}
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is read of the accounts, by ID."""
    functions: dict[str, RunningFunction] = field(default_factory=dict)
    executions: int | Failure = 1000
    """How many functions may run at once in each account and region."""
    letters: dict[str, int] = field(default_factory=dict)
    """How many messages each queue of the hub has."""
    drifted: set[StackPlace] = field(default_factory=set)
    """The stacks of which somebody changed a queue beside CloudFormation."""
    unseen: set[StackPlace] = field(default_factory=set)
    """The stacks of which it could not read a queue."""
    trails: dict[tuple[str, str], SeenWire] = field(default_factory=dict)
    pending: dict[str, tuple[StackPlace, Proposal]] = field(default_factory=dict)
    """The change sets that are neither executed nor discarded."""
    executed: dict[str, tuple[StackPlace, Proposal]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    """What was begun, in order."""
    repaired: list[StackPlace] = field(default_factory=list)
    """Of which a change set was begun that reverts drift."""
    instances: list[Instance] = field(default_factory=list)
    """Those of StackSets that are not as the sets say."""
    over: tuple[str, str] | Failure = ("999999999999", "r-abcd")
    """The management account of an organization, and its root."""
    unreadable: Failure | None = None
    """Why nobody may read functions."""
    switch: str | None = None
    """What the stop switch says; None if there is none."""
    numbers: Any = field(default_factory=itertools.count)

    def session(self, account: str) -> Any:
        if account in self.refused:
            raise Failure(self.refused[account].reason, remedy=self.refused[account].remedy)

    def stacks_in(self, account: str, region: str) -> "MemoryStacks":
        self.session(account)
        return MemoryStacks(self, account, region)


@dataclass
class MemoryEntered:
    """`Entered` of a cloud.

    `off`: by how much AWS's clock is ahead; `holding`: whether the webhook's URL is stored; `entry`: what is read of
    each account.
    """

    cloud: MemoryCloud
    seen: MemoryWiring = field(default_factory=MemoryWiring)
    off: timedelta | Failure = timedelta(seconds=1)
    holding: bool | Failure = True
    entry: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refused(self) -> Mapping[str, NotEntered]:
        return self.cloud.refused

    def session(self, account: str) -> Any:
        return self.cloud.session(account)

    def caller(self, account: str) -> str:
        self.session(account)
        return f"arn:aws:iam::{account}:user/admin"

    def stacks(self, account: str, region: str) -> "MemoryStacks":
        return self.cloud.stacks_in(account, region)

    def bucket(self, account: str, region: str, name: str) -> "MemoryBucket":
        del account, region
        return MemoryBucket(self.cloud, name)

    def remains(self, account: str, region: str) -> Remains:
        self.session(account)
        return MemoryRemains(self.cloud, account, region)

    def hub(self, account: str, region: str) -> Hub:
        self.session(account)
        del region
        if self.cloud.hubs is None:
            raise Failure("no hub in this test")
        return self.cloud.hubs()

    def functions(self, account: str, region: str, names: Sequence[str]) -> Mapping[str, RunningFunction]:
        del account, region
        if self.cloud.unreadable is not None:
            raise self.cloud.unreadable
        return {name: one for name, one in self.cloud.functions.items() if name in names}

    def executions(self, account: str, region: str) -> int:
        self.session(account)
        del region
        return given(self.cloud.executions)

    def depth(self, account: str, region: str, queue: str) -> int:
        del account, region
        return self.cloud.letters.get(queue, 0)

    def above(self, account: str) -> tuple[str, str]:
        self.session(account)
        return given(self.cloud.over)

    def read_parts(self, accounts: Sequence[SpecAccount]) -> Iterator[tuple[str, Reading]]:
        for account in accounts:
            yield from parts_of(account.id, self.cloud.entries)

    def trail(self, account: str, region: str) -> SeenWire:
        none = SeenWire(f"trail of {account} in {region}", "the calls that change anything", {"trails": []})
        return self.cloud.trails.get((account, region), none)

    def wiring(self, place: HubPlace) -> Wiring:
        del place
        return self.seen

    def surveyed(self, account: str) -> Mapping[str, Any]:
        del account
        return self.entry

    def holds(self, account: str, region: str, reference: str) -> bool:
        del account, region
        if reference == "ssm:/ecr-warden/writes":
            return self.cloud.switch is not None
        assert reference == "ssm:/ecr-warden/webhook"
        return given(self.holding)

    def skew(self, clock: Clock) -> timedelta:
        del clock
        return given(self.off)


def given[T](value: T | Failure) -> T:
    if isinstance(value, Failure):
        raise value
    return value


def parts_of(account: str, entries: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Reading]]:
    """An account and its registries, as they are read; empty if nothing is known of it."""
    entry = {**entries.get(account, complete_account({"iam": {}}))}
    registries = entry.pop("ecr", {})
    yield account, Reading(entry)
    yield from ((f"{account}/{region}", Reading(piece)) for region, piece in registries.items())


@dataclass
class MemoryStacks:
    """`Stacks` of one account and region."""

    cloud: MemoryCloud
    account: str
    region: str

    def place(self, name: str) -> StackPlace:
        return StackPlace(self.account, self.region, name)

    def read(self, name: str) -> LiveStack | None:
        self._call("read", name)
        return self.cloud.stacks.get(self.place(name))

    def settled(self, name: str) -> LiveStack | None:
        live = self.read(name)
        if live is None or not live.status.endswith("IN_PROGRESS"):
            return live
        self._call("settled", name)
        self.cloud.stacks[self.place(name)] = replace(live, status="UPDATE_COMPLETE")
        return self.read(name)

    def unfinished(self, sets: Sequence[str], call_as: str) -> Sequence[Instance]:
        assert call_as == "DELEGATED_ADMIN"
        return [one for one in self.cloud.instances if one.set in sets]

    def template(self, name: str) -> str:
        self._call("template", name)
        if self.place(name) not in self.cloud.templates:
            raise Failure(f"GetTemplate: Stack [{name}] does not exist")
        return self.cloud.templates[self.place(name)]

    def propose(self, proposal: Proposal) -> ChangeSet:
        self._call("propose", proposal.name)
        if proposal.url:
            proposal = replace(proposal, template=self.cloud.objects[proposal.url].decode())
        made = ChangeSet(proposal.id, f"stack/{proposal.name}/{next(self.cloud.numbers)}")
        self.cloud.pending[made.id] = (self.place(proposal.name), proposal)
        self.cloud.repaired += [self.place(proposal.name)] if proposal.repairs else []
        return made

    def changes(self, change_set: ChangeSet) -> Sequence[StackChange] | None:
        place, proposal = self.cloud.pending[change_set.id]
        self._call("changes", place.name)
        live, old = self.cloud.stacks.get(place), _resources(self.cloud.templates.get(place, "{}"))
        new = _resources(proposal.template)
        found = [
            StackChange("Add" if key not in old else "Modify", key, new[key]["Type"])
            for key in new
            if key not in old or old[key] != new[key] or (live and dict(live.tags) != dict(proposal.tags))
        ]
        if place in self.cloud.drifted and proposal.repairs:
            found.append(StackChange("Modify", "Queue", "AWS::SQS::Queue"))
        found += [StackChange("Remove", key, old[key]["Type"]) for key in old if key not in new]
        if live is not None and not found and dict(live.parameters) == dict(proposal.parameters):
            return [*self._unseen(place)] or None
        return [*found, *self._unseen(place)]

    def _unseen(self, place: StackPlace) -> Iterator[StackChange]:
        if place in self.cloud.unseen:
            yield StackChange(UNREAD, "Queue", "AWS::SQS::Queue")

    def execute(self, change_set: ChangeSet) -> None:
        self._call("execute", self.cloud.pending[change_set.id][0].name)
        self.cloud.executed[change_set.id] = self.cloud.pending.pop(change_set.id)

    def finished(self, change_set: ChangeSet) -> LiveStack:
        place, proposal = self.cloud.executed.pop(change_set.id)
        self._call("finished", place.name)
        for key, body in _resources(proposal.template).items():
            if key in self.cloud.failing:
                reason = f"{key} ({body['Type']}): {self.cloud.failing[key]}"
                raise StackFailed(f"{place} failed: {reason}", remedy=remedy_for(reason))
        self._refuse_taken(place, proposal)
        begun = "IMPORT" if proposal.takes else "UPDATE" if place in self.cloud.stacks else "CREATE"
        status = f"{begun}_COMPLETE"
        outputs = self.cloud.outputs(place, proposal)
        described = json.loads(proposal.template).get("Description", "")
        self._turn_switch(place, proposal)
        live = LiveStack(status, dict(proposal.parameters), outputs, dict(proposal.tags), description=described)
        self.cloud.stacks[place], self.cloud.templates[place] = live, proposal.template
        if proposal.repairs:
            self.cloud.drifted.discard(place)
        return live

    def _refuse_taken(self, place: StackPlace, proposal: Proposal) -> None:
        """As CloudFormation does: a stack makes nothing that is there, and takes over nothing that is not."""
        left = [one.name for one in self.cloud.things if one.kind is Kind.BOUNDARY and one.account == self.account]
        taken = [one["ResourceIdentifier"]["PolicyArn"] for one in proposal.takes]
        makes = "Boundary" in {*_resources(proposal.template)} - {*_resources(self.cloud.templates.get(place, "{}"))}
        if makes and taken != left:
            reason = "Boundary (AWS::IAM::ManagedPolicy): A policy called ecr-warden-boundary already exists."
            raise StackFailed(f"{place} failed: {reason}", remedy=remedy_for(reason))

    def _turn_switch(self, place: StackPlace, proposal: Proposal) -> None:
        """As CloudFormation does: a new or reverted parameter gets the template's value, one that leaves is deleted."""
        owned = place in self.cloud.stacks and _switch(self.cloud.templates[place], self.cloud.stacks[place].parameters)
        owns = _switch(proposal.template, proposal.parameters)
        if (owns and not owned) or (owned and proposal.repairs):
            self.cloud.switch = "enabled"
        elif owned and not owns and owned.get("DeletionPolicy") != "Retain":
            self.cloud.switch = None

    def discard(self, proposal: Proposal) -> None:
        if self.cloud.pending.pop(proposal.id, None) is None:
            raise Failure("ChangeSetNotFound")
        self._call("discard", proposal.name)

    def delete(self, name: str) -> ChangeSet:
        self._call("delete", name)
        return ChangeSet(f"changeSet/{name}", name)

    def deleted(self, deletion: ChangeSet) -> None:
        name = deletion.stack
        self._call("deleted", name)
        self.cloud.stacks.pop(self.place(name), None)
        self.cloud.templates.pop(self.place(name), None)

    def _call(self, method: str, name: str) -> None:
        call = f"{method} {self.place(name)}"
        if method != "read":
            self.cloud.log.append(call)
        if (error := self.cloud.refusing.get(call, self.cloud.refusing.get(method))) is not None:
            raise error


@dataclass
class MemoryBucket:
    """`CodeBucket`."""

    cloud: MemoryCloud
    name: str

    def lacking(self, objects: Mapping[str, bytes]) -> Mapping[str, bool]:
        there = {key: self.cloud.objects.get(f"{self.name}/{key}") for key in objects}
        return {key: there[key] is not None for key, data in objects.items() if there[key] != data}

    def put(self, objects: Mapping[str, bytes]) -> int:
        missing = {f"{self.name}/{key}": data for key, data in objects.items()}.items() - self.cloud.objects.items()
        self.cloud.objects |= dict(missing)
        return len(missing)

    def url(self, key: str) -> str:
        return f"{self.name}/{key}"


@dataclass
class MemoryRemains:
    """`Remains` of one account and region."""

    cloud: MemoryCloud
    account: str
    region: str

    def of_hub(self) -> Iterator[Thing]:
        yield from (one for one in self.cloud.things if (one.account, one.region) == (self.account, self.region))

    def of_account(self) -> Iterator[Thing]:
        yield from (one for one in self.cloud.things if (one.account, one.region) == (self.account, ""))

    def delete(self, thing: Thing) -> None:
        self.cloud.things.remove(thing)


def _switch(template: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The stop switch as a template has it; {} if it has none."""
    found: dict[str, Any] = _resources(template).get("WritesParameter", {})
    return found if parameters.get("OwnSwitch", "true") == "true" else {}


def _resources(template: str) -> dict[str, Any]:
    if not template.startswith("{"):  # YAML of somebody's own
        return {}
    found: dict[str, Any] = json.loads(template).get("Resources", {})
    return found
