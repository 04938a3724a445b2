"""Judges the wiring: what was read of it, against what the templates of this version deploy.

Pure, and the one judgement of `status` and of the sweeps. What could not be read is unknown; what cannot be compared,
because its stack is of another version, is judged by whether it is there and on.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct

from ecr_warden.collect.stacks import StackContent, UnknownReference, content_of
from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.collect.wiring import PASSING, TRAIL_BUS, Heartbeat, HubPlace, SeenWire
from ecr_warden.core.failures import AccountUnreachable
from ecr_warden.core.job import Queue
from ecr_warden.core.own_access import Writes
from iam_access.arn import IAM_REGION, iam_arn
from iam_access.document.document import DocumentError, parse_document
from iam_access.equivalent.canonical import equivalent
from iam_access.text.printable import count, first, show_time

DEFAULT_BUS = "default"
QUEUES = {f"ecr-warden-{queue.function}": (queue.sqs_name,) for queue in Queue} | {
    "ecr-warden-alert": ("ecr-warden-incidents", *(queue.exhausted for queue in Queue)),
    "ecr-warden-images": ("ecr-warden-images", "ecr-warden-images-again"),
}
"""The queues that Lambda polls, by the function that it calls with their messages."""
TOPICS = {"ecr-warden-alerts": "alerts by e-mail", "ecr-warden-alarms": "alarms, which need no function of the hub"}
"""The topics to which AlertEmail is subscribed."""
UNDELIVERED = "ecr-warden-forward-dlq"
"""The queue of each region for what its rules could not deliver."""
SILENCE = timedelta(hours=2, minutes=15)
"""Two heartbeats are missing: they come every hour, and may be late."""
OWN_ROLES = {"ReadRole": "ecr-warden-read", "WriteRole": "ecr-warden-write", "ForwardRole": "ecr-warden-forward"}
OWN_POLICIES = {
    "Boundary": "ecr-warden-boundary",
    "OwnersPolicy": "ecr-warden-owners",
    "OwnersPolicy2": "ecr-warden-owners-2",
    "OwnersPolicy3": "ecr-warden-owners-3",
    "RolesPolicy": "ecr-warden-roles",
}
"""Our roles and policies of stacks/member.yaml, by their logical IDs."""

type Json = Mapping[str, Any]
type Known = Mapping[str, str]

_SHOWN = 3


class EventRule(Struct, frozen=True):
    """A rule by its name, its bus, and what it delivers."""

    name: str
    delivers: str
    bus: str = DEFAULT_BUS


HUB_RULES = (
    EventRule("ecr-warden-trail", "what CloudTrail reports of the members", TRAIL_BUS),
    EventRule("ecr-warden-heartbeats", "the heartbeats of the members", TRAIL_BUS),
    EventRule("ecr-warden-images", "what is pushed and deleted", TRAIL_BUS),
    EventRule("ecr-warden-image-actions", "what is pushed where CloudTrail reports nothing", TRAIL_BUS),
    EventRule("ecr-warden-own", "changes of the hub itself"),
    EventRule("ecr-warden-silencing", "changes of what alerts go through"),
    EventRule("ecr-warden-spec", "new versions of the spec"),
    EventRule("ecr-warden-sweep", "the schedule of the sweeps"),
    EventRule("ecr-warden-outcomes", "alerts", "ecr-warden-outcomes"),
)
_FORWARDS_IAM = EventRule("ecr-warden-forward-iam", "changes of users, roles and policies")
_FORWARDS = (
    EventRule("ecr-warden-forward-ecr", "changes of repositories"),
    EventRule("ecr-warden-forward-images", "what is pushed and deleted"),
    EventRule("ecr-warden-forward-own", "changes of the rules, trails and stacks themselves"),
    EventRule("ecr-warden-heartbeat", "heartbeats"),
)


def rules_of(region: str) -> tuple[EventRule, ...]:
    """The rules of stacks/events.yaml in a region."""
    return (_FORWARDS_IAM, *_FORWARDS) if region == IAM_REGION else _FORWARDS


# ---------------------------------------------------------------- the hub


def hub_wires(seen: Sequence[SeenWire], hub: HubPlace) -> tuple[Wire, ...]:
    """The hub's own wires: its stack, rules, bus, bucket, mappings and subscriptions, in the order of reading."""
    content, known = content_of("hub"), known_of_hub(hub) | _parameters(_stack_of(seen))
    judges: Mapping[str, _JudgeOf] = {
        "rule": lambda one: partial(_rule, _wanted_rule(content, one, known)),
        "stack": lambda _: partial(_stack, None),
        "policy": lambda one: partial(_document, _wanted(content, _POLICY_OF[one.name.split(" ")[2]], known)),
        "e-mail": lambda _: _subscription,
        "mapping": lambda _: _setting,
        "notification": lambda _: _setting,
        "versioning": lambda _: _setting,
    }
    return _each_judged(seen, judges)


_POLICY_OF = {"bus": "TrailBusPolicy", "bucket": "SpecBucketPolicy"}


def known_of_hub(hub: HubPlace) -> dict[str, str]:
    """What the hub's template refers to, without the stack's parameters."""
    functions = f"arn:aws:lambda:{hub.region}:{hub.account}:function:ecr-warden-"
    return {
        **pseudo(hub.account, hub.region),
        "AWS::StackName": hub.stack.split("/")[1],
        "TrailBus": TRAIL_BUS,
        "TrailBus.Arn": hub.bus,
        "OutcomesBus": "ecr-warden-outcomes",
        "SpecBucket": hub.bucket,
        "SpecBucket.Arn": f"arn:aws:s3:::{hub.bucket}",
        "DispatchFunction.Arn": f"{functions}dispatch",
        "AlertFunction.Arn": f"{functions}alert",
        "ImagesQueue.Arn": f"arn:aws:sqs:{hub.region}:{hub.account}:ecr-warden-images",
        "ImagesAgainQueue.Arn": f"arn:aws:sqs:{hub.region}:{hub.account}:ecr-warden-images-again",
    }


def pseudo(account: str, region: str) -> dict[str, str]:
    """CloudFormation's pseudo parameters."""
    return {"AWS::Partition": "aws", "AWS::AccountId": account, "AWS::Region": region}


# ---------------------------------------------------------------- a region of a member


def region_wires(seen: Sequence[SeenWire], account: str, region: str, hub: HubPlace) -> tuple[Wire, ...]:
    """The wires of a region: its trail, the rules of its events stack, and that stack."""
    content, stack = content_of("events"), _stack_of(seen)
    known = {**pseudo(account, region), "HubBusArn": hub.bus}
    comparable = stack is not None and (stack.found or {}).get("content") == content.digest
    judges: Mapping[str, _JudgeOf] = {
        "rule": lambda one: partial(_rule, _wanted_rule(content, one, known) if comparable else None),
        "stack": lambda _: partial(_stack, content),
        "queue": lambda _: _undelivered,
        "trail": lambda _: partial(_trail, region),
    }
    return _each_judged(seen, judges)


def trail_wire(seen: SeenWire, region: str) -> Wire:
    """The trail of a region."""
    return _judged(seen, partial(_trail, region))


def serving_trails(found: Json, region: str) -> tuple[Json, ...]:
    """Those that report an account's writes in a region, as far as the account can see."""
    return tuple(trail for trail in found["trails"] if not _lack(trail, region))


# ---------------------------------------------------------------- an account's roles and boundary


def account_wires(seen: Sequence[SeenWire], account: str, hub: HubPlace) -> tuple[Wire, ...]:
    """The member stack, and our roles and policies in the account."""
    content, stack = content_of("member"), _stack_of(seen)
    known = {
        **pseudo(account, ""),
        **_parameters(stack),
        "OwnBoundary": "true",  # whichever stack has made it
        "HubAccount": hub.account,
        "ExternalId": hub.external_id,
        **{logical: iam_arn(account, f"policy/ecr-warden/{name}") for logical, name in OWN_POLICIES.items()},
    }
    comparable = stack is not None and (stack.found or {}).get("content") == content.digest
    writes = known.get("Writes", Writes.ALL)
    logical_ids = {name: logical for logical, name in (OWN_ROLES | OWN_POLICIES).items()}

    def judged(one: SeenWire) -> Wire | None:
        match one.name.split(" "):
            case ["role", name, *_] if name == OWN_ROLES["WriteRole"] and writes == Writes.NONE:
                return None
            case ["role", name, *_] if name == OWN_ROLES["WriteRole"] and one.found is None and stack and stack.error:
                # Whether it is wanted is the stack's to say.
                return _unreadable(replace(one, error=stack.error, code=stack.code, passing=stack.passing))
            case ["role", name, *_]:
                return _judged(one, partial(_role, _wanted(content, logical_ids[name], known) if comparable else None))
            case ["policy", name, *_]:
                logical = logical_ids[name]
                wanted = _wanted(content, logical, known) if comparable else None
                # Only the boundary is there whatever the stack's parameters are.
                is_deployed = wanted is not None or logical == "Boundary"
                return _judged(one, partial(_document, wanted)) if is_deployed else None
            case ["stack", *_]:
                return replace(_judged(one, partial(_stack, content)), writes="" if writes == Writes.ALL else writes)
            case _:
                return _judged(one, lambda wire, _found: wire)

    return tuple(wire for wire in map(judged, seen) if wire is not None)


def _role(wanted: Json | None, wire: Wire, found: Json) -> Wire:
    if wanted is None:
        return wire
    differing = list(_differences_of_role(found, wanted))
    if differing == [_BOUNDARY] and not wanted.get("PermissionsBoundary"):
        # One only takes rights away, and companies give it to all roles.
        return _with(wire, WireState.BOUNDED, found["boundary"])
    return _changed(wire, differing)


_BOUNDARY = "permissions boundary"


def _differences_of_role(live: Json, wanted: Json) -> Iterator[str]:
    if not _same(live["trust"], wanted["AssumeRolePolicyDocument"]):
        yield "trust policy"
    inline: Json = live["inline"]
    right = {one["PolicyName"]: one["PolicyDocument"] for one in wanted.get("Policies", ())}
    rewritten = {one for one in inline.keys() & right.keys() if not _same(inline[one], right[one])}
    yield from (f"inline policy {one}" for one in sorted((inline.keys() ^ right.keys()) | rewritten))
    attached = {*live["attached"]} ^ {*wanted.get("ManagedPolicyArns", ())}
    yield from (f"attached {arn.rpartition('/')[2]}" for arn in sorted(attached))
    if live["boundary"] != wanted.get("PermissionsBoundary", ""):
        yield _BOUNDARY


# ---------------------------------------------------------------- heartbeats


def beating_places(parts: Iterable[str]) -> tuple[str, ...]:
    """The regions, as ACCOUNT/REGION, that send heartbeats: those of repositories, and of each account IAM's."""
    return tuple(sorted({part if "/" in part else f"{part}/{IAM_REGION}" for part in parts}))


def beat_wires(places: Iterable[str], beats: Mapping[str, Heartbeat], now: datetime) -> tuple[Wire, ...]:
    """Whether a heartbeat came from each place in time; one without any record is awaited from now on."""

    def judged(place: str) -> Wire:
        wire = Wire(f"heartbeat of {place}", "a sign that events of this region arrive", WireState.ON)
        beat = beats.get(place)
        if beat is None or now - beat.at <= SILENCE:
            return wire
        since = f"the last came at {show_time(beat.at)}" if beat.heard else f"none came since {show_time(beat.at)}"
        return _with(wire, WireState.SILENT, since)

    return tuple(map(judged, places))


# ---------------------------------------------------------------- one wire


def _rule(wanted: Json | None, wire: Wire, found: Json) -> Wire:
    wire = replace(wire, schedule=str(found.get("schedule", "")))
    if found.get("state") == "DISABLED":
        return _with(wire, WireState.DISABLED)
    if wanted is None:
        return wire
    here, right = _targets(found.get("targets", ())), _targets(wanted["Targets"])
    if not right <= here:
        return _with(wire, WireState.TARGETLESS)
    differing = [
        *(["pattern"] if _unordered(found.get("pattern")) != _unordered(wanted.get("EventPattern")) else []),
        *(["schedule"] if wire.schedule != wanted.get("ScheduleExpression", "") else []),
        *(["targets"] if here != right else []),
    ]
    return _changed(wire, differing)


def _targets(given: Iterable[Json]) -> set[tuple[str, str]]:
    return {(str(one["Arn"]), str(one.get("RoleArn", ""))) for one in given}


def _unordered(value: Any) -> Any:
    """A pattern without the order of its alternatives."""
    match value:
        case dict():
            return {key: _unordered(entry) for key, entry in value.items()}
        case list():
            return sorted(json.dumps(_unordered(entry), sort_keys=True) for entry in value)
        case _:
            return value


def _document(wanted: Json | None, wire: Wire, found: Json) -> Wire:
    """The policy of the bus, of the bucket, or a managed one."""
    if wanted is None:
        return wire
    right = wanted.get("PolicyDocument") or {"Version": "2012-10-17", "Statement": [wanted["Statement"]]}
    return _changed(wire, [] if _same(found.get("policy"), right) else ["content"])


def _setting(wire: Wire, found: Json) -> Wire:
    """What is on or off, or there or not."""
    return _with(wire, WireState.DISABLED) if found.get("state") == "DISABLED" else wire


def _undelivered(wire: Wire, found: Json) -> Wire:
    """The events that are kept, for 14 days at most; another number is no news."""
    return _with(wire, WireState.UNDELIVERED, count(found["messages"], "event")) if found["messages"] else wire


def _subscription(wire: Wire, found: Json) -> Wire:
    """One that was not confirmed, or was suspended, has no ARN, and delivers nothing."""
    if any(str(arn).startswith("arn:") for arn in found["subscriptions"]):
        return wire
    return _with(wire, WireState.UNCONFIRMED, PENDING if found["subscriptions"] else "there is none")


PENDING = "nobody has confirmed it"
"""Why an e-mail subscription delivers nothing that waits for its confirmation."""


_GONE = ("DELETE_IN_PROGRESS", "DELETE_COMPLETE", "ROLLBACK_COMPLETE")


def _stack(content: StackContent | None, wire: Wire, found: Json) -> Wire:
    status = str(found["status"])
    if status in _GONE or status.endswith("_FAILED"):
        return _changed(wire, [f"status {status}"])
    if content is not None and found["content"] != content.digest:
        return _with(wire, WireState.OUTDATED)
    return wire


def _trail(region: str, wire: Wire, found: Json) -> Wire:
    lacks = {str(trail["name"]): _lack(trail, region) for trail in found["trails"]}
    if enough := serving_trails(found, region):
        return wire if any("selectors" in trail for trail in enough) else replace(wire, why=str(enough[0]["name"]))
    unread = [str(trail["error"]) for trail in found["trails"] if lacks[str(trail["name"])] == _UNREAD]
    if unread:
        return _unreadable(SeenWire(wire.name, wire.delivers, error=unread[0], code="trail-unread"))
    whys = sorted(f"{name.rpartition('/')[2]} {lack}" for name, lack in lacks.items())
    is_stopped = any(lack.endswith(_STOPPED) for lack in lacks.values())
    return _with(wire, WireState.DISABLED if is_stopped else WireState.MISSING, "; ".join(first(whys, _SHOWN)))


_STOPPED, _UNREAD = "does not log", "could not be read"


def _lack(trail: Json, region: str) -> str:
    """Why a trail does not report an account's writes in a region; "" if it does."""
    if "logging" not in trail or not ("selectors" in trail or trail["organization"]):
        return _UNREAD
    if not (trail["multi"] or trail["home"] == region):
        return f"is of {trail['home']} alone"
    if region == IAM_REGION and not trail["global"]:
        return "leaves out global services"
    if "selectors" in trail and not any(map(_selects_writes, trail["selectors"])):
        return "selects no management events that write"
    # It is started where its home is, and an organization's by its own account alone.
    whose = f"{trail['home']}, the organization's," if trail["organization"] else trail["home"]
    return "" if trail["logging"] else f"of {whose} {_STOPPED}"


def _selects_writes(selector: Json) -> bool:
    """Whether a selector, basic or advanced, takes every write of IAM and ECR; one that says more may leave some out.

    Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
    """
    fields = selector.get("FieldSelectors")
    if fields is not None:
        return all(map(_takes_writes, fields)) and any(one["Field"] == "eventCategory" for one in fields)
    is_known = {name for name, value in selector.items() if value} <= _OF_BASIC_SELECTORS
    of_writes = bool(selector.get("IncludeManagementEvents")) and selector.get("ReadWriteType") in ("All", "WriteOnly")
    return is_known and of_writes and _SOURCES.isdisjoint(selector.get("ExcludeManagementEventSources", ()))


_SOURCES = frozenset({"iam.amazonaws.com", "ecr.amazonaws.com"})
_OF_WRITES = {"eventCategory": {"Management"}, "readOnly": {"false"}, "eventSource": _SOURCES}
_OF_BASIC_SELECTORS = frozenset(
    {"IncludeManagementEvents", "ReadWriteType", "DataResources", "ExcludeManagementEventSources"}
)


def _takes_writes(field: Json) -> bool:
    """Whether a field lets through what writes have; by a field or an operator that is not known here it may not."""
    has = _OF_WRITES.get(str(field["Field"]))
    is_known = {name for name, values in field.items() if values} <= {"Field", "Equals", "NotEquals"}
    if has is None or not is_known:
        return False
    return has <= {*(field.get("Equals") or has)} and has.isdisjoint(field.get("NotEquals") or ())


type _Judge = Callable[[Wire, Json], Wire]
type _JudgeOf = Callable[[SeenWire], _Judge]


def _each_judged(seen: Iterable[SeenWire], judges: Mapping[str, _JudgeOf]) -> tuple[Wire, ...]:
    """The wires, each by the judge of its kind, the first word of its name."""
    return tuple(_judged(one, judges[one.name.partition(" ")[0]](one)) for one in seen)


def _judged(seen: SeenWire, judge: _Judge) -> Wire:
    """A wire that is there as `judge` has it, by what was found of it; any other is missing or unreadable."""
    if seen.error:
        return _unreadable(seen)
    if seen.found is None:
        return Wire(seen.name, seen.delivers, WireState.MISSING, mark=WireState.MISSING)
    return judge(Wire(seen.name, seen.delivers, WireState.ON), seen.found)


def shut_in(wires: Sequence[Wire]) -> Wire | None:
    """The wire that says why the account cannot be entered, if it cannot."""
    # The last says how AWS refused it; the first may be of the survey.
    return next((wire for wire in reversed(wires) if wire.mark == _SHUT), None)


def folded(account: str, wires: Sequence[Wire]) -> tuple[Wire, ...]:
    """The wires of an account, and the account as one; that alone if it cannot be entered."""
    whole = Wire(f"account {account}", "everything that is known of it", WireState.ON)
    shut = shut_in(wires)
    return (*wires, whole) if shut is None else (replace(shut, name=whole.name, delivers=whole.delivers),)


_SHUT = f"unreadable {AccountUnreachable.code}"


def _unreadable(seen: SeenWire) -> Wire:
    return Wire(
        seen.name,
        seen.delivers,
        WireState.UNREADABLE,
        why=seen.error,
        mark=PASSING if seen.passing else f"unreadable {seen.code}",
    )


def _with(wire: Wire, state: WireState, why: str = "") -> Wire:
    return Wire(wire.name, wire.delivers, state, wire.schedule, why, state)


def _changed(wire: Wire, differing: Sequence[str]) -> Wire:
    if not differing:
        return wire
    why = ", ".join(first(differing, _SHOWN))
    return Wire(wire.name, wire.delivers, WireState.CHANGED, wire.schedule, why, f"changed {', '.join(differing)}")


# ---------------------------------------------------------------- what is wanted


def _stack_of(seen: Iterable[SeenWire]) -> SeenWire | None:
    return next((seen_wire for seen_wire in seen if seen_wire.name.startswith("stack ")), None)


def _parameters(stack: SeenWire | None) -> dict[str, str]:
    return {**(stack.found or {}).get("parameters", {})} if stack is not None else {}


def _wanted(content: StackContent, logical_id: str, known: Known) -> Json | None:
    """The properties that a resource is deployed with; None if it is not, or nobody can tell."""
    try:
        properties: Json | None = content.properties(logical_id, known)
    except UnknownReference:
        return None
    return properties


def _wanted_rule(content: StackContent, seen: SeenWire, known: Known) -> Json | None:
    name = seen.name.split(" ")[1]
    logical = next(one for one, body in content.resources.items() if body["Properties"].get("Name") == name)
    return _wanted(content, logical, known)


def _same(live: object, right: Json) -> bool:
    """Whether AWS treats both documents alike."""
    try:
        return isinstance(live, str | Mapping) and equivalent(parse_document(live), parse_document(right))
    except DocumentError:
        return False
