"""The one judgement of the wiring: what was read of each wire, against what the templates deploy."""

from collections.abc import Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.collect.stacks import content_of
from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.collect.wiring import PASSING, Heartbeat, SeenWire
from ecr_warden.collect.wiring_verdicts import (
    SILENCE,
    account_wires,
    beat_wires,
    beating_places,
    hub_wires,
    known_of_hub,
    region_wires,
)
from ecr_warden.core.result import Severity
from ecr_warden.notify.wire_texts import remedy, sentence, severity
from local.testing.memory.wiring import HUB, PARAMETERS, TRAIL, account_of, hub, region_of
from tests.tables import load

MEMBER, HOME = "222222222222", "eu-central-1"
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
LATE = NOON - SILENCE - timedelta(seconds=1)
ALLOW = {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}


def edited(seen: Sequence[SeenWire], name: str, **facts: Any) -> list[SeenWire]:
    assert name in {wire.name for wire in seen}
    return [replace(wire, found={**(wire.found or {}), **facts}) if wire.name == name else wire for wire in seen]


def of_account(seen: Sequence[SeenWire]) -> dict[str, Wire]:
    return {wire.name: wire for wire in account_wires(seen, MEMBER, HUB)}


def off(wires: dict[str, Wire]) -> dict[str, tuple[WireState, str]]:
    return {name: (wire.state, wire.why) for name, wire in wires.items() if wire.state is not WireState.ON}


READ, WRITE = (f"role ecr-warden-{name} in {MEMBER}" for name in ("read", "write"))
BOUNDARY = f"policy ecr-warden-boundary in {MEMBER}"
STACK = f"stack of the member {MEMBER}"


def found(name: str) -> Any:
    [wire] = [wire for wire in account_of(MEMBER) if wire.name == name]
    return wire.found


def trusting(role: str) -> dict[str, Any]:
    trust = found(role)["trust"]
    return {**trust, "Statement": [*trust["Statement"], ALLOW]}


ROLES: dict[str, tuple[str, dict[str, Any], str]] = {
    "a trust policy that lets somebody in": (READ, {"trust": trusting(READ)}, "trust policy"),
    "no trust policy that can be read": (READ, {"trust": {"Statement": "?"}}, "trust policy"),
    "an inline policy more": (WRITE, {"inline": {**found(WRITE)["inline"], "more": {}}}, "inline policy more"),
    "an inline policy less": (READ, {"inline": {}}, "inline policy read"),
    "another inline policy": (
        READ,
        {"inline": {"read": {"Version": "2012-10-17", "Statement": [ALLOW]}}},
        "inline policy read",
    ),
    "an attached policy": (
        READ,
        {"attached": [ADMIN]},
        "attached AdministratorAccess",
    ),
    "a wider boundary policy": (BOUNDARY, {"policy": {"Version": "2012-10-17", "Statement": [ALLOW]}}, "content"),
}


@pytest.mark.parametrize("name", ROLES)
def test_a_role_or_boundary_that_is_not_as_deployed_is_found(name: str) -> None:
    wire, facts, why = ROLES[name]
    wires = of_account(edited(account_of(MEMBER), wire, **facts))
    assert off(wires) == {wire: (WireState.CHANGED, why)}
    assert severity(wires[wire]) is Severity.CRITICAL


COMPANYS = f"arn:aws:iam::{MEMBER}:policy/company/all"
# RoleBoundary of the stack, the role's boundary, more about the role; the state of the role, why, and how grave it is.
BOUNDED: dict[str, tuple[str, str, dict[str, Any], WireState, str, Severity]] = {
    "as the stack gives it": ("company/all", COMPANYS, {}, WireState.ON, "", Severity.INFO),
    "one that somebody gave it": ("", COMPANYS, {}, WireState.BOUNDED, COMPANYS, Severity.WARNING),
    "one, and something else": (
        *("", COMPANYS, {"attached": [ADMIN]}, WireState.CHANGED),
        *("attached AdministratorAccess, permissions boundary", Severity.CRITICAL),
    ),
    "none where the stack gives one": (
        *("company/all", "", {}, WireState.CHANGED, "permissions boundary", Severity.CRITICAL),
    ),
    "another than the stack gives": (
        *("company/all", ADMIN, {}, WireState.CHANGED, "permissions boundary", Severity.CRITICAL),
    ),
}


@pytest.mark.parametrize("name", BOUNDED)
def test_a_boundary_that_a_company_gives_our_roles_is_no_alarm(name: str) -> None:
    given, boundary, facts, state, why, grave = BOUNDED[name]
    seen: Sequence[SeenWire] = account_of(MEMBER)
    for role in (READ, WRITE, f"role ecr-warden-forward in {MEMBER}"):
        seen = edited(seen, role, boundary=boundary, **facts) if role == READ else edited(seen, role, boundary=COMPANYS)
    seen = edited(seen, STACK, parameters={**found(STACK)["parameters"], "RoleBoundary": given})
    wire = of_account(seen)[READ]
    assert (wire.state, wire.why, severity(wire)) == (state, why, grave)


UNREAD = {"found": None, "error": "id 7", "code": "throttled", "passing": True}
# What the stack says or why it is not read, and whether the write role is there; its state, if it is looked at.
OFF: dict[str, tuple[dict[str, Any], bool, WireState | None]] = {
    "it is off": ({"Writes": "none"}, False, None),
    "it is off, and of another version": ({"Writes": "none", "content": "older"}, False, None),
    "it is on": ({"Writes": "identities"}, False, WireState.MISSING),
    "nobody can tell": (UNREAD, False, WireState.UNREADABLE),
    "nobody can tell, and it is there": (UNREAD, True, WireState.ON),
}


@pytest.mark.parametrize("name", OFF)
def test_the_write_role_is_wanted_where_its_stack_lets_anything_be_written(name: str) -> None:
    facts, is_there, state = OFF[name]
    if "found" in facts:
        seen = [replace(wire, **facts) if wire.name == STACK else wire for wire in account_of(MEMBER)]
    else:
        parameters = {**found(STACK)["parameters"], "Writes": facts["Writes"]}
        content = facts.get("content", found(STACK)["content"])
        seen = edited(account_of(MEMBER), STACK, parameters=parameters, content=content)
    seen = [replace(wire, found=None) if wire.name == WRITE and not is_there else wire for wire in seen]
    wires = of_account(seen)
    assert (wires[WRITE].state if WRITE in wires else None) is state
    assert wires[STACK].writes == facts.get("Writes", "")


def test_a_boundary_that_another_stack_makes_is_compared_as_well() -> None:
    seen = edited(account_of(MEMBER), STACK, parameters={**found(STACK)["parameters"], "OwnBoundary": "false"})
    wider = {"policy": {"Version": "2012-10-17", "Statement": [ALLOW]}}
    assert off(of_account(edited(seen, BOUNDARY, **wider))) == {BOUNDARY: (WireState.CHANGED, "content")}
    assert off(of_account(seen)) == {}


OF_MEMBERS = [
    *(f"rule ecr-warden-{name}" for name in ("trail", "heartbeats", "images", "image-actions")),
    "policy of bus ecr-warden-trail",
]


def test_an_organization_in_place_of_accounts_changes_what_the_rules_and_the_bus_should_be() -> None:
    parameters = {**PARAMETERS, "MemberAccounts": "", "OrganizationId": "o-abcdefghij"}
    seen = edited(hub(), "stack of the hub", parameters=parameters)
    changed = {wire.name for wire in hub_wires(seen, HUB) if wire.state is WireState.CHANGED}
    assert changed == {*OF_MEMBERS}
    known = known_of_hub(HUB) | parameters
    assert "account" not in content_of("hub").properties("TrailRule", known)["EventPattern"]
    statement = content_of("hub").properties("TrailBusPolicy", known)["Statement"]
    assert (statement["Principal"], statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"]) == (
        "*",
        "o-abcdefghij",
    )


def test_the_same_in_another_spelling_is_as_deployed() -> None:
    trust = found(READ)["trust"]
    [statement] = trust["Statement"]
    spelled = {**statement, "Sid": "Other", "Action": ["sts:assumerole"], "Principal": {"AWS": [HUB.account]}}
    assert off(of_account(edited(account_of(MEMBER), READ, trust={**trust, "Statement": [spelled]}))) == {}


def test_what_the_parameters_of_the_stack_ask_for_is_wanted() -> None:
    owners = {"ManagedOwners": f"arn:aws:iam::{MEMBER}:user/ci"}
    parameters = {**found(STACK)["parameters"], **owners}
    assert off(of_account(edited(account_of(MEMBER), STACK, parameters=parameters))) == {
        WRITE: (WireState.CHANGED, "attached ecr-warden-owners"),
        f"policy ecr-warden-owners in {MEMBER}": (WireState.MISSING, ""),
    }


def test_without_its_stack_a_role_is_judged_by_whether_it_is_there() -> None:
    for content in ("older", ""):
        seen = edited(account_of(MEMBER), STACK, content=content)
        seen = edited(seen, READ, trust=trusting(READ))
        gone = [replace(wire, found=None) if wire.name in (WRITE, BOUNDARY) else wire for wire in seen]
        assert off(of_account(gone)) == {
            STACK: (WireState.OUTDATED, ""),
            WRITE: (WireState.MISSING, ""),
            BOUNDARY: (WireState.MISSING, ""),
        }


def test_parameters_that_cannot_be_read_are_no_reason_to_doubt_the_rules() -> None:
    """The hub's patterns name its members; without its stack nobody can tell which."""
    seen = [
        SeenWire(wire.name, wire.delivers, error="denied", code="permission-missing") if "stack" in wire.name else wire
        for wire in hub()
    ]
    assert [(wire.name, wire.state) for wire in hub_wires(seen, HUB) if wire.state is not WireState.ON] == [
        ("stack of the hub", WireState.UNREADABLE)
    ]


def test_another_list_of_members_changes_what_the_rules_and_the_bus_should_be() -> None:
    seen = edited(hub(), "stack of the hub", parameters={**PARAMETERS, "MemberAccounts": "111111111111"})
    changed = [wire.name for wire in hub_wires(seen, HUB) if wire.state is WireState.CHANGED]
    assert changed == OF_MEMBERS


def test_the_order_of_a_patterns_alternatives_does_not_matter() -> None:
    name = f"rule ecr-warden-forward-ecr of {MEMBER} in {HOME}"
    [rule] = [wire for wire in region_of(MEMBER, HOME) if wire.name == name]
    assert rule.found is not None
    detail = rule.found["pattern"]["detail"]
    pattern = {**rule.found["pattern"], "detail": {**detail, "eventName": detail["eventName"][::-1]}}
    for given, states in ((pattern, set()), ({**pattern, "detail": {}}, {name})):
        wires = region_wires(edited(region_of(MEMBER, HOME), name, pattern=given), MEMBER, HOME, HUB)
        assert {wire.name for wire in wires if wire.state is not WireState.ON} == states


ORGANIZATIONS = {name: value for name, value in TRAIL.items() if name != "selectors"} | {
    "error": "denied",
    "organization": True,
}
TRAILS: dict[str, dict[str, Any]] = load((Path(__file__).parents[2] / "cases/trails.yaml").read_text())["trails"]


@pytest.mark.parametrize("name", TRAILS)
def test_a_trail_reports_a_regions_writes_or_not(name: str) -> None:
    row = TRAILS[name]
    without = [{"without", *one.get("without", ())} for one in row["trails"]]
    trails = [
        {key: value for key, value in (TRAIL | one).items() if key not in lacks}
        for one, lacks in zip(row["trails"], without, strict=True)
    ]
    for region, state in ((HOME, row.get("home", "on")), ("us-east-1", row.get("global", "on"))):
        trail = f"trail of {MEMBER} in {region}"
        wires = region_wires(edited(region_of(MEMBER, region), trail, trails=trails), MEMBER, region, HUB)
        [wire] = [wire for wire in wires if wire.name == trail]
        assert wire.state == state, wire.why


@pytest.mark.parametrize(
    ("trails", "why"),
    [([ORGANIZATIONS], TRAIL["name"]), ([TRAIL], ""), ([ORGANIZATIONS, TRAIL], ""), ([TRAIL, ORGANIZATIONS], "")],
)
def test_what_is_known_of_no_other_trail_is_said_of_the_organizations(trails: list[dict[str, Any]], why: str) -> None:
    name = f"trail of {MEMBER} in {HOME}"
    wires = region_wires(edited(region_of(MEMBER, HOME), name, trails=trails), MEMBER, HOME, HUB)
    assert [wire.why for wire in wires if wire.name == name] == [why]


def test_heartbeats_are_expected_of_each_region_with_repositories_and_of_iams() -> None:
    parts = ("111111111111", MEMBER, f"{MEMBER}/{HOME}", f"{MEMBER}/us-east-1")
    assert beating_places(parts) == ("111111111111/us-east-1", f"{MEMBER}/{HOME}", f"{MEMBER}/us-east-1")


BEATS: dict[str, tuple[Heartbeat | None, str]] = {
    "in time": (Heartbeat("a/r", NOON - timedelta(hours=1)), ""),
    "one is missing": (Heartbeat("a/r", NOON - timedelta(hours=2)), ""),
    "two are missing": (
        Heartbeat("a/r", LATE),
        "the last came at 2026-11-27T09:44:59Z",
    ),
    "awaited": (Heartbeat("a/r", NOON - timedelta(hours=2), heard=False), ""),
    "awaited in vain": (
        Heartbeat("a/r", NOON - timedelta(hours=3), heard=False),
        "none came since 2026-11-27T09:00:00Z",
    ),
    "not known yet": (None, ""),
}


@pytest.mark.parametrize("name", BEATS)
def test_two_heartbeats_that_are_missing_are_silence(name: str) -> None:
    beat, why = BEATS[name]
    [wire] = beat_wires(["a/r"], {} if beat is None else {"a/r": beat}, NOON)
    assert (wire.state, wire.why) == (WireState.SILENT if why else WireState.ON, why)
    assert severity(wire) is (Severity.CRITICAL if why else Severity.INFO)


@pytest.mark.parametrize("state", WireState)
def test_each_state_has_its_words(state: WireState) -> None:
    wire = Wire("rule a", "events", state, why="because")
    assert "rule a" in sentence(wire)
    assert bool(remedy(wire)) is (state not in (WireState.ON, WireState.UNREADABLE))


def test_an_error_that_passes_is_marked_and_another_by_its_code() -> None:
    for passing, mark in ((True, PASSING), (False, "unreadable x")):
        seen = [SeenWire(f"trail of {MEMBER} in {HOME}", "calls", error="id 17", code="x", passing=passing)]
        [wire] = region_wires(seen, MEMBER, HOME, HUB)
        assert (wire.state, wire.mark, wire.why) == (WireState.UNREADABLE, mark, "id 17")
