"""The steps from a deployment as it is to what it should be; begun again, those that are left."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import replace
from functools import cached_property, partial
from itertools import chain, groupby

from msgspec import Struct

from ecr_warden.state.switch import PARAMETER, Position
from ecr_warden_cli.deployment.change_text import Content, content_of, iam_lines, resource_line
from ecr_warden_cli.deployment.ports import (
    UNREAD,
    ChangeSet,
    CodeBucket,
    Entered,
    Instance,
    Kind,
    LiveStack,
    Proposal,
    RunningFunction,
    StackChange,
    StackFailed,
    StackPlace,
    Stacks,
)
from ecr_warden_cli.deployment.release import Release
from ecr_warden_cli.deployment.remedies import remedy_for
from ecr_warden_cli.deployment.stacks import (
    CODE_PREFIX,
    EVENTS,
    HUB,
    MEMBER,
    NAMES,
    ORGANIZATION,
    OWN_SWITCH,
    SETS,
    WantedStack,
    code_bucket,
    external_id,
    hub_place,
    not_ours,
    stacks_of,
)
from ecr_warden_cli.deployment.wanted import Deployment
from ecr_warden_cli.terminal.context import Failure
from iam_access.gather import gather
from iam_access.text.printable import listed

_BUCKET = "hub-bucket"
"""The template of the hub's stack before there is code."""
_BOUNDARY = "Boundary"
"""Of the members' template: what is retained when the stack is deleted."""
_AT_REST = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
_SHOWN = 5
"""Of what failed with one remedy: a session that ends fails each stack that is left."""
_INLINE_BYTES = 51_200
"""What CloudFormation takes of a template in a call."""


def _said_together(failures: Sequence[Failure]) -> Failure:
    """The first one, with the others before it; those with one remedy are said together."""
    alike = gather((failure.remedy, failure.message.rstrip(".")) for failure in failures)
    said = [
        StackFailed(listed([*dict.fromkeys(those)], _SHOWN, separator="; "), remedy=remedy, code=failures[0].code)
        for remedy, those in alike.items()
    ]
    said[0].lines = [str(one) for one in said[1:]]
    return said[0]


def _together(going: list[Iterator[str]], failures: list[Failure]) -> Iterator[str]:
    """What each says, in turns; one that fails keeps no other from being finished."""
    while going:
        for one in [*going]:
            try:
                if said := next(one):
                    yield said
            except StopIteration:
                going.remove(one)
            except Failure as failure:
                going.remove(one)
                failures.append(failure)


class Step(Struct, frozen=True):
    """A stack that is not as it should be."""

    wanted: WantedStack
    before: Content
    after: Content
    changes: Sequence[StackChange]
    parameters: Mapping[str, tuple[str, str]] = {}
    """Those that change: as they are, and as they will be."""
    change_set: ChangeSet | None = None
    """What CloudFormation has worked out, of a stack that is there."""
    takes: str = ""
    """The ARN of the boundary that an earlier stack left, which this one takes over."""

    def rights(self) -> Iterator[str]:
        """What becomes of roles and policies, in words; here and below with `{}` where the account belongs."""
        return iam_lines(self.before.rights, self.after.rights or {})

    def resources(self) -> Iterator[str]:
        """What becomes of the stack, in words; the hub's bucket is said with the hub."""
        if self.wanted.template == _BUCKET:
            return
        stack = f"stack {self.wanted.place.name} in {{}}, {self.wanted.place.region}"
        yield f"{stack}: {resource_line(self.changes) or 'changes its outputs or tags'}"
        for name, (old, new) in self.parameters.items():
            yield f"{stack}: {name} becomes {new or 'empty'}, is {old or 'empty'}"
        listed = [self.parameters.get(name, ("", "")) for name in ("MemberAccounts", "OwnStacks")]
        if left := {one for were, are in listed if are for one in {*were.split(",")} - {*are.split(","), ""}}:
            yield (
                f"the stacks of {', '.join(sorted(left))} stay: delete {NAMES[EVENTS]} in each region there, then "
                f"{NAMES[MEMBER]}"
            )


def _parts(version: str) -> list[int]:
    """The numbers of a version, to compare it: a release and what comes before it count as one."""
    return [int(part) for part in re.findall(r"[0-9]{1,9}", version)[:3]]


UNKNOWN = LiveStack("", outputs={"TrailBusArn": ""})
"""A hub that is there, and of which nothing is known."""


def _keeping(wanted: WantedStack, live: LiveStack) -> WantedStack:
    writes = {name: value for name, value in wanted.parameters.items() if name == "Writes"}
    return replace(wanted, parameters={**live.parameters, **writes})


class Reconciler(Struct, frozen=True, dict=True):
    """The stacks of a release in the accounts that could be entered; each method raises Failure."""

    deployment: Deployment
    release: Release
    entered: Entered
    left_out: frozenset[str] = frozenset()
    """The accounts, by ID, in which nothing is done, and about which the hub keeps what it has."""
    waits: bool = False
    """Whether it waits for what somebody else, or an earlier run, has begun."""
    goes_on: bool = False
    """Whether what cannot be read keeps nothing else from being done: `unread` says of what that is so."""
    unread: list[Failure] = []
    proposed: dict[StackPlace, Callable[[], None]] = {}
    """What discards each change set that was not executed."""
    unseen: list[str] = []
    """What somebody may have changed, and CloudFormation could not read."""
    found: dict[StackPlace, LiveStack | None] = {}
    """The stacks as they were last seen."""

    @cached_property
    def hub(self) -> LiveStack | None:
        """The hub's stack as it was found; UNKNOWN where it goes on without it."""
        is_closed = self.goes_on and self.deployment.hub_account in self.left_out
        hub = WantedStack(hub_place(self.deployment), HUB, {})
        return next(iter(self._each(self._read, [] if is_closed else [hub])), UNKNOWN)

    @property
    def is_new(self) -> bool:
        """Whether there is no hub yet, or nothing of it but its bucket."""
        return self.hub is None or "TrailBusArn" not in self.hub.outputs

    @cached_property
    def switch(self) -> Position | None:
        """How the stop switch is to be made; None if there is one. One that was deleted may have said stopped."""
        found = self._each(partial(self.entered.holds, *self.at), [f"ssm:{PARAMETER}"] if self.has_hub else [])
        lacking = Position.ENABLED if self.is_new else Position.STOPPED
        return lacking if found == [False] else None

    @property
    def at(self) -> tuple[str, str]:
        """The hub's account and region."""
        return self.deployment.hub_account, self.deployment.hub_region

    @property
    def has_hub(self) -> bool:
        """Whether something may be done to the hub."""
        return self.deployment.hub_account not in self.left_out and self.hub is not UNKNOWN

    @property
    def is_there(self) -> bool:
        """Whether there is a hub, to which something may be done."""
        return self.has_hub and not self.is_new

    @cached_property
    def running(self) -> Mapping[str, RunningFunction]:
        """What the hub's functions run, by name."""
        return self.entered.functions(*self.at, [*self.release.keys("Function")]) if self.is_there else {}

    @cached_property
    def altered(self) -> Sequence[str]:
        """What runs other code than this release's, in words; CloudFormation reads none."""
        is_of_this = self.hub is not None and self.hub.outputs.get("Version") == self.release.version
        keys, layers = self.release.keys("Function"), {*self.release.keys("LayerVersion").values()}
        return [
            f"{name} runs {'' if is_other else 'a layer with '}other code than the release's"
            for name, one in (self.running.items() if is_of_this else ())
            if (is_other := f"{one.code}.zip" != keys[name]) or not {f"{layer}.zip" for layer in one.layers} <= layers
        ]

    @cached_property
    def code_prefix(self) -> str:
        """Of the keys of all code: a new one where something else runs, so that Lambda takes them all anew."""
        before = "" if self.hub is None else self.hub.parameters.get(CODE_PREFIX, "")
        return f"{uuid.uuid4()}/" if self.altered else before

    @cached_property
    def spoiled(self) -> Sequence[str]:
        """The files of code in the bucket that somebody replaced."""
        found = self._each(lambda _: self._bucket().lacking(self._code), [self.hub] if self.is_there else [])
        return [key for lacking in found for key, is_other in lacking.items() if is_other]

    @property
    def _code(self) -> Mapping[str, bytes]:
        return {f"{self.code_prefix}{key}": data for key, data in self.release.code.items()}

    def unfinished(self) -> Sequence[Instance]:
        """The stacks in an organization's units that are not as they should be."""
        live = self.found.get(self._organization.place)
        return () if live is None else self._stacks(self._organization).unfinished(SETS, live.parameters["CallAs"])

    @property
    def _organization(self) -> WantedStack:
        """Where the organization's stack is, if there is one."""
        account = self.deployment.organization.account if self.deployment.organization is not None else ""
        return WantedStack(StackPlace(account, self.deployment.hub_region, NAMES[ORGANIZATION]), ORGANIZATION, {})

    def leaving(self, ask: Callable[[], Collection[str] | None]) -> list[str]:
        """Whose changes are reported no more, of those whom the accepted spec names.

        `ask`: whom it names; None if that is not known.
        """
        units, before = self.deployment.organization, self._members_before
        are = {self.deployment.hub_account, *(one.id for one in self.deployment.members)}
        if self.is_new or self.hub is UNKNOWN or (units is not None and units.units) or (before and before <= are):
            return []
        named = ask()
        # A hub that takes the events of an organization knows no members.
        gone = (before or {*(named or ())}) - are
        return sorted(gone if named is None else gone & {*named})

    @property
    def _members_before(self) -> set[str]:
        listed = "" if self.hub is None else self.hub.parameters.get("MemberAccounts", "")
        return {*listed.split(",")} - {""}

    def steps(self) -> Sequence[Step]:
        """What is to be done, in order; to be called while `discarding`."""
        whole = self._each(lambda _: self._wanted(), [] if self.hub is UNKNOWN else [self.hub])
        if not whole:
            ours = [one for one in stacks_of(self.deployment, "") if one.place.account not in self.left_out]
            return self._steps((one for one in ours if self.hub is not UNKNOWN or one.template != HUB), keep=True)
        # All are read before anything is proposed: one that is somebody else's, or cannot be read, ends it.
        steps = self._steps(one for one in whole[0] if one.place.account not in self.left_out)
        order = self._order(steps)
        return sorted(steps, key=lambda step: order.index(step.wanted.template))

    def _wanted(self) -> Sequence[WantedStack]:
        outputs = self.hub.outputs if self.hub is not None else {}
        units = self.deployment.organization
        above = self.entered.above(units.account) if units is not None and units.units else ("", "")
        # An account that nobody entered, by a mistyped ID perhaps, becomes no member.
        reached = above[1] and self._organization.place.account not in self.left_out
        own = self._read(self._organization) if reached else None
        before = self._members_before | {*(own.parameters["OwnStacks"].split(",") if own is not None else ())}
        known = (one for one in self.deployment.members if one.id not in self.left_out - before)
        given = {**self.deployment.parameters, CODE_PREFIX: self.code_prefix}
        deployment = replace(self.deployment, members=(*known,), parameters=given)
        wanted = stacks_of(deployment, outputs.get("ExternalId") or external_id(deployment), above)
        return wanted if self.hub is not None else (WantedStack(hub_place(self.deployment), _BUCKET, {}), *wanted)

    def left(self, wanted: Sequence[WantedStack]) -> Mapping[StackPlace, Step | None]:
        """Those of these that are there, and what differs in each from the release; to be called while `discarding`."""
        steps = {step.wanted.place: step for step in self._steps(wanted, keep=True)}
        return {one.place: steps.get(one.place) for one in wanted if self.found.get(one.place) is not None}

    def _steps(self, wanted: Iterable[WantedStack], *, keep: bool = False) -> list[Step]:
        """`keep`: make none, and leave the parameters of those that are there, but for what may be written."""
        found = self._each(lambda one: (one, self._read(one)), wanted)
        if keep:
            found = [(_keeping(one, live), live) for one, live in found if live is not None]
        begun = self._each(lambda one: (*one, None if one[1] is None else self._propose(one[0])), found)
        return [step for step in self._each(lambda one: self._step(*one), begun) if step is not None]

    def _each[T, R](self, do: Callable[[T], R], things: Iterable[T]) -> list[R]:
        """What could be done of all; what could not is unread, and ends it unless it goes on."""
        done = list[R]()
        for one in things:
            try:
                done.append(do(one))
            except Failure as failure:
                self.unread.append(failure)
        if self.unread and not self.goes_on:
            raise _said_together(self.unread)
        return done

    def _order(self, steps: Sequence[Step]) -> Sequence[str]:
        """Of templates: an account gets stacks of its own once the organization's have gone."""
        of_units = [step for step in steps if step.wanted.template == ORGANIZATION]
        owning = [step.parameters.get("OwnStacks", ("", "")) for step in of_units]
        if any(step.change_set is None for step in of_units) or any(
            {*are.split(",")} - {*were.split(",")} for were, are in owning
        ):
            return _BUCKET, HUB, ORGANIZATION, MEMBER, EVENTS
        # A hub that needs more rights comes after the members that give them, a new one before: they send to its bus.
        return (*((_BUCKET, HUB, MEMBER) if self.is_new else (MEMBER, HUB)), EVENTS, ORGANIZATION)

    def _step(self, wanted: WantedStack, live: LiveStack | None, change_set: ChangeSet | None) -> Step | None:
        """None if there is nothing to do."""
        after = content_of(self.release.templates[wanted.template], wanted.parameters, wanted.place)
        if live is None or change_set is None:
            takes = self._boundary_left(wanted)
            added = [
                StackChange("Import" if takes and name == _BOUNDARY else "Add", name, kind)
                for name, kind in after.types.items()
            ]
            return Step(wanted, Content(), after, added, takes=takes)
        found = self._stacks(wanted).changes(change_set)
        self.unseen.extend(f"{wanted.place}: {one.logical_id}" for one in found or () if one.action == UNREAD)
        changes = [one for one in found or () if one.action != UNREAD]
        if found is None or (found and not changes):
            return None
        before = content_of(self._stacks(wanted).template(wanted.place.name), live.parameters, wanted.place)
        are = {OWN_SWITCH: "true", **live.parameters}
        changed = {
            name: (are.get(name, ""), value) for name, value in wanted.parameters.items() if are.get(name, "") != value
        }
        return Step(wanted, before, after, changes, changed, change_set)

    @contextmanager
    def discarding(self) -> Iterator[None]:
        """However it ends, leave no change set behind that was not executed, as far as AWS deletes them."""
        try:
            yield
        finally:
            for discard in self.proposed.values():
                with suppress(Failure):
                    discard()

    def carry_out(self, steps: Sequence[Step]) -> Iterator[str]:
        """Do it, all stacks of one template at once, and say what is done."""
        failures = list[Failure]()
        of_stacks = ([self._stages(step) for step in of] for _, of in groupby(steps, lambda step: step.wanted.template))
        has_code = self.hub is not None and (self.spoiled or any(step.wanted.template == HUB for step in steps))
        for going in chain([[self._of_hub(uploads=bool(has_code))]], of_stacks):
            yield from _together(going, failures)
            if failures and not self.goes_on:
                break
        if failures:
            raise _said_together(failures)

    def _of_hub(self, *, uploads: bool) -> Iterator[str]:
        """What is of no stack."""
        if self.switch is not None:
            # Before the hub, which else would find none, and stand still.
            self.entered.hub(*self.at).make_switch(self.switch)
            yield f"made the stop switch {PARAMETER}: {self.switch}"
        if uploads:
            yield self._upload()

    def _upload(self) -> str:
        return f"uploaded {self._bucket().put(self._code)} of {len(self._code)} files of code"

    def _stages(self, step: Step) -> Iterator[str]:
        """What is begun, and then awaited, of one stack: "" in between, and what is done."""
        place, stacks = step.wanted.place, self._stacks(step.wanted)
        change_set = step.change_set or self._propose(step.wanted, step.takes)
        if step.change_set is None:
            yield ""
            if stacks.changes(change_set) is None:
                return
        goes_on = bool(step.takes) or self._owns_switch(step.wanted)
        stacks.execute(change_set)
        del self.proposed[place]
        yield ""
        self.found[place] = live = stacks.finished(change_set)
        yield f"{place}: {live.status}"
        if step.wanted.template == _BUCKET:
            yield self._upload()
        if goes_on:
            yield from self._stages(replace(step, change_set=None, takes=""))

    def _read(self, wanted: WantedStack) -> LiveStack | None:
        stacks = self._stacks(wanted)
        live = (stacks.settled if self.waits else stacks.read)(wanted.place.name)
        if live is not None:
            _refuse_unusable(wanted, live, self.release.version)
        self.found[wanted.place] = live
        return live

    def _stacks(self, wanted: WantedStack) -> Stacks:
        return self.entered.stacks(wanted.place.account, wanted.place.region)

    def _bucket(self) -> CodeBucket:
        return self.entered.bucket(*self.at, code_bucket(self.deployment))

    def _boundary_left(self, wanted: WantedStack) -> str:
        """The ARN of the boundary that an earlier stack of the account retained; "" if there is none."""
        is_own = wanted.template == MEMBER and wanted.parameters["OwnBoundary"] == "true"
        there = self.entered.remains(wanted.place.account, wanted.place.region).of_account() if is_own else ()
        return next((one.name for one in there if one.kind is Kind.BOUNDARY), "")

    def _taking(self, wanted: WantedStack, boundary: str) -> Proposal:
        """The boundary alone, as no stack makes what is there."""
        text = json.loads(self.release.templates[wanted.template])
        body = {name: one for name, one in text["Resources"][_BOUNDARY].items() if name != "Condition"}
        # The same in another order: so the next change set writes it, whatever is there, and none that fails does harm.
        document = body["Properties"]["PolicyDocument"]
        body["Properties"] |= {"PolicyDocument": {**document, "Statement": document["Statement"][::-1]}}
        identifier = {"LogicalResourceId": _BOUNDARY, "ResourceIdentifier": {"PolicyArn": boundary}}
        return Proposal(
            wanted.place.name,
            json.dumps({"Description": text["Description"], "Resources": {_BOUNDARY: body}}),
            {},
            takes=[{"ResourceType": body["Type"], **identifier}],
        )

    def _propose(self, wanted: WantedStack, takes: str = "") -> ChangeSet:
        stacks, proposal = self._stacks(wanted), self._taking(wanted, takes) if takes else self._proposal(wanted)
        # Noted before it is begun: the answer is lost on whoever interrupts it.
        self.proposed[wanted.place] = partial(stacks.discard, proposal)
        return stacks.propose(proposal)

    def _proposal(self, wanted: WantedStack) -> Proposal:
        text, url = self.release.templates[wanted.template], ""
        if len(text.encode()) > _INLINE_BYTES:
            key = f"{hashlib.sha256(text.encode()).hexdigest()}.json"
            self._bucket().put({key: text.encode()})
            url = self._bucket().url(key)
        owns = self._owns_switch(wanted)
        keeps = {OWN_SWITCH: "true"} if owns and not self._would_retain_switch(wanted) else {}
        # Drift of a stack that owns the switch is not reverted: that would undo what people said.
        return Proposal(
            wanted.place.name, text, {**wanted.parameters, **keeps}, self.deployment.tags, url, repairs=not owns
        )

    def _owns_switch(self, wanted: WantedStack) -> bool:
        """Whether the stop switch is in the stack: it leaves in a change set of its own, after one that retains it."""
        live = self.found.get(wanted.place) if wanted.template == HUB else None
        return live is not None and "TrailBusArn" in live.outputs and live.parameters.get(OWN_SWITCH) != "false"

    def _would_retain_switch(self, wanted: WantedStack) -> bool:
        with suppress(ValueError):  # YAML, of an older version that was deployed by hand
            resources = json.loads(self._stacks(wanted).template(wanted.place.name))["Resources"]
            return bool(resources.get("WritesParameter", {}).get("DeletionPolicy") == "Retain")
        return False


_UNUSABLE = {
    "not-ours": "delete it, or deploy what it has under another name: ecr-warden needs this one",
    # Two hubs would undo each other.
    "other-hub": (
        "write that hub's account and region in ecr-warden.yaml, or first ecr-warden remove with the file that names it"
    ),
    "hub-too-old": "sam deploy it from a checkout of this version, then run the same command again: it takes over",
    "hub-too-new": "pipx upgrade ecr-warden",
}
"""The remedies, by the code of what is in the way."""


def _refuse_unusable(wanted: WantedStack, live: LiveStack, version: str) -> None:
    """Raises Failure for a stack of our name that this version must not change."""
    has = live.outputs.get("Version", "")
    buses = {name: live.parameters.get(name, "") for name in ("HubBusArns", "HubBusArn")}
    others = [bus for name, bus in buses.items() if bus and wanted.parameters.get(name, bus) not in bus.split(",")]
    is_of_sam = wanted.template == HUB and "CodeBucket" not in live.outputs
    found = {
        "not-ours": f"is {why}" if (why := not_ours(wanted, live)) else "",
        "stack-unusable": "" if live.status in _AT_REST else f"is {live.status}",
        "other-hub": f"is a member of another hub, {', '.join(others)}" if others else "",
        "hub-too-old": "was deployed by sam, by a version without a bucket for its code" if is_of_sam else "",
        "hub-too-new": (
            f"is of version {has}, newer than this command, {version}" if _parts(has) > _parts(version) else ""
        ),
    }
    for code, what in found.items():
        if what:
            raise Failure(f"{wanted.place} {what}", remedy=_UNUSABLE.get(code) or remedy_for(what), code=code)
