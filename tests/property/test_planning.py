"""No moment between two writes of a role's repair gives access that neither the old documents nor the spec give.

Requests are tried one by one by an oracle that shares no code with the planner.
"""

import json
from collections.abc import Iterable, Mapping
from copy import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ecr_warden.access_spec.render import pull_permissions
from ecr_warden.access_spec.spec import UNLIMITED
from ecr_warden.core.address import DENY_OLDER_SESSIONS, Address, identity_policy, role, trust_policy
from ecr_warden.core.desired import DesiredValue, Extent, Mode, RoleSettings, TargetSpec
from ecr_warden.core.observed import Absent, Observation, Observed, Present
from ecr_warden.core.plan import Change, Plan
from ecr_warden.core.target import RoleTarget, UserTarget
from ecr_warden.repair.orphans import as_observed
from ecr_warden.repair.planner import Facts
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document, parse_document
from iam_access.equivalent.canonical import digest
from local.testing.seed import plan_for
from tests import examples
from tests.property.policy_oracle import as_list

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
PUSHER = RoleTarget("222222222222", "ecr-pusher")
ROLE, TRUST, PUSH = role(PUSHER), trust_policy(PUSHER), identity_policy(PUSHER, "ecr-warden-push")
EXTRA = identity_policy(PUSHER, "extra")
CUTOFF = identity_policy(PUSHER, DENY_OLDER_SESSIONS)
SETTINGS = RoleSettings("/ecr-warden/", 3600, None)

WHO = ("*", "111111111111", "999999999999", "arn:aws:iam::111111111111:user/push-user")
PEOPLE = tuple(f"arn:aws:iam::{name}:root" if name.isdigit() else name for name in WHO[1:])
ASSUMES = ("sts:AssumeRole", "sts:TagSession", "sts:*")
ACTIONS = ("ecr:PutImage", "ecr:Put*", "ecr:BatchGetImage", "iam:PassRole", "ecr:*", "*")
REQUESTED = (
    *("ecr:putimage", "ecr:puttag", "ecr:batchgetimage", "iam:passrole", "iam:x"),
    *("sts:assumerole", "sts:tagsession"),
)
RESOURCES = ("*", "arn:aws:ecr:eu-central-1:222222222222:repository/a", "arn:aws:ecr:*")
THINGS = ("arn:aws:ecr:eu-central-1:222222222222:repository/a", "arn:aws:ecr:x", "arn:aws:iam::1:role/r")


def _few(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2)


_effects = st.sampled_from(("Allow", "Allow", "Allow", "Deny"))
_trust_statements = st.fixed_dictionaries(
    {"Effect": _effects, "Principal": st.fixed_dictionaries({"AWS": _few(WHO)}), "Action": _few(ASSUMES)}
)
_identity_statements = st.fixed_dictionaries({"Effect": _effects, "Action": _few(ACTIONS), "Resource": _few(RESOURCES)})


def _documents(statements: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    listed = st.lists(statements, min_size=1, max_size=3)
    return listed.map(lambda given: parse_document({"Version": "2012-10-17", "Statement": given}))


trusts, policies = _documents(_trust_statements), _documents(_identity_statements)
type Live = dict[Address, Document]


@st.composite
def repairs(draw: st.DrawFn) -> tuple[Live, TargetSpec]:
    """A live role, and its spec."""
    live: Live = {TRUST: draw(trusts)}
    for address in (PUSH, EXTRA):
        found = draw(st.none() | policies)
        if found is not None:
            live[address] = found
    wanted: dict[Address, DesiredValue] = {ROLE: SETTINGS, TRUST: draw(trusts), PUSH: draw(policies)}
    return live, TargetSpec(PUSHER, Extent.WHOLE, wanted)


def _plan(live: Live, spec: TargetSpec, expected: Mapping[str, str] | None = None) -> Plan:
    documents: dict[Address, Observed] = {ROLE: Present(SETTINGS, repr(SETTINGS)), PUSH: Absent()}
    documents |= {address: Present(value, digest(value, kind=address.document_kind)) for address, value in live.items()}
    seen = Observation(PUSHER, documents)
    return plan_for(spec, seen, Facts(NOW, expected=expected or {}))


def _moments(live: Live, plan: Plan) -> list[Live]:
    """The documents before the first write, after each, and after the last."""
    moments = [dict(live)]
    for change in plan.changes:
        now = dict(moments[-1])
        found = now.get(change.address)
        expected = digest(found, kind=change.address.document_kind) if found else None
        assert change.expect == expected, "a write would meet another document than it expects"
        assert change.before == (found.text if found else None)
        if isinstance(change.after, Document):
            now[change.address] = change.after
        else:
            assert change.after is None
            del now[change.address]
        moments.append(now)
    return moments


def _desired(spec: TargetSpec) -> Live:
    return {address: value for address, value in spec.documents.items() if isinstance(value, Document)}


@examples.of(60, 150)
@given(repairs())
def test_every_plan_ends_in_sync(repair: tuple[Live, TargetSpec]) -> None:
    live, spec = repair
    last = _moments(live, _plan(live, spec))[-1]
    cutoff = last.pop(CUTOFF, None)
    again = _plan(last, spec)
    assert (again.drifts, again.changes) == ((), ())
    assert last.keys() == _desired(spec).keys()
    if last[TRUST] != live[TRUST]:
        assert cutoff is not None or not gained_and_lost(live[TRUST], _desired(spec)[TRUST]).lost
    # A trust policy that stays as it is, in other words than the spec's, shuts nobody out: a Deny may shadow an Allow.
    assert cutoff is not None or _who_assumes(live) <= _who_assumes(_desired(spec))


@examples.of(60, 150)
@given(repairs())
def test_no_document_ever_allows_what_neither_old_nor_desired_allows(repair: tuple[Live, TargetSpec]) -> None:
    live, spec = repair
    desired = _desired(spec)
    for moment in _moments(live, _plan(live, spec)):
        for address, document in moment.items():
            old = _allowed(live.get(address))
            assert _allowed(document) <= old | _allowed(desired.get(address))


@examples.of(60, 150)
@given(repairs())
def test_the_role_never_gives_access_that_neither_state_gives(repair: tuple[Live, TargetSpec]) -> None:
    live, spec = repair
    old, new = _through(live), _through(_desired(spec))
    for moment in _moments(live, _plan(live, spec)):
        assert _through(moment) <= old | new


@examples.of(60, 150)
@given(repairs())
def test_of_documents_that_moved_since_they_were_judged_only_what_is_too_much_goes(
    repair: tuple[Live, TargetSpec],
) -> None:
    live, spec = repair
    desired, judged = _desired(spec), {str(address): "another digest" for address in (TRUST, PUSH, EXTRA)}
    *_, last = moments = _moments(live, _plan(live, spec, judged))
    for address, document in [one for moment in moments for one in moment.items()]:
        assert address == CUTOFF or _allowed(document) <= _allowed(live.get(address))
    for address, document in last.items():
        assert address == CUTOFF or _allowed(document) <= _allowed(desired.get(address))
    unmoved = {str(address): digest(one, kind=address.document_kind) for address, one in live.items()}
    assert _plan(live, spec, {str(PUSH): "", **unmoved}) == _plan(live, spec)


@examples.of(40, 100)
@given(repairs())
def test_no_write_is_planned_to_gain_more_than_the_spec_gives(repair: tuple[Live, TargetSpec]) -> None:
    live, spec = repair
    desired = _desired(spec)
    for change in _plan(live, spec).changes:
        if change.address == CUTOFF:
            continue
        assert change.access is not None
        wanted = desired.get(change.address)
        lacking = gained_and_lost(live.get(change.address), wanted, kind=change.address.document_kind).gained
        # A deletion takes a Deny along; the document allows nothing then.
        assert change.after is None or set(change.access.gained) <= set(lacking) or _follows_a_cut(change, live)


@examples.of(40, 100)
@given(repairs())
def test_sessions_end_after_the_trust_policy_is_written_and_before_any_gain(
    repair: tuple[Live, TargetSpec],
) -> None:
    live, spec = repair
    changes = _plan(live, spec).changes
    places = [index for index, change in enumerate(changes) if change.address == CUTOFF]
    assume(places)
    narrowed = [
        index
        for index, change in enumerate(changes)
        if change.address == TRUST and change.access is not None and change.access.lost
    ]
    assert max(narrowed) < places[0]
    for index, change in enumerate(changes[: places[0]]):
        assert change.access is not None
        assert change.after is None or not change.access.gained or index in narrowed


@examples.of(40, 100)
@given(repairs())
def test_the_order_of_the_observation_does_not_change_the_plan(repair: tuple[Live, TargetSpec]) -> None:
    live, spec = repair
    other = dict(reversed(live.items())), replace(spec, documents=dict(reversed(list(spec.documents.items()))))
    assert _plan(live, spec) == _plan(*other)


ANNA = UserTarget("111111111111", "anna")
PULL = identity_policy(ANNA, "ecr-warden-pull")
IMAGES = frozenset(f"arn:aws:ecr:eu-central-1:222222222222:repository/{name}" for name in "abcd")
_images = st.frozensets(st.sampled_from(sorted(IMAGES)))


@examples.of(60, 150)
@given(_images, _images, st.none() | _images)
def test_a_shared_document_ends_with_the_enforced_grants_and_what_it_had_of_the_observed(
    enforced: frozenset[str], observed: frozenset[str], live: frozenset[str] | None
) -> None:
    every = enforced | observed
    assume(every)
    documents = {PULL: pull_permissions({UNLIMITED: enforced})} if enforced else {}
    with_all = {PULL: pull_permissions({UNLIMITED: every})} if every != enforced else {}
    spec = TargetSpec(ANNA, Extent.OURS, documents, mode=Mode.ENFORCE, observed=with_all)
    found = {} if live is None else {PULL: pull_permissions({UNLIMITED: live})}
    seen: dict[Address, Observed] = {PULL: Absent()}
    seen |= {at: Present(value, digest(value, kind=at.document_kind)) for at, value in found.items()}
    observation = Observation(ANNA, seen)
    wanted = as_observed(spec, observation)
    plan = plan_for(wanted, observation)
    last = {**found, **{change.address: change.after for change in plan.changes}}.get(PULL)
    # Without a repository a policy still allows the login, which no grant lacks.
    stays = live is not None and enforced <= live <= every and bool(live)
    assert _images_of(last) == (live if stays else enforced)
    assert bool(plan.held) is (_images_of(last) != every and not plan.changes)


def _images_of(value: object) -> frozenset[str]:
    if not isinstance(value, Document):
        return frozenset()
    named = [as_list(one["Resource"]) for one in json.loads(value.text)["Statement"] if one["Sid"] == "AllowPull"]
    return frozenset(arn for some in named for arn in some)


@pytest.mark.thorough
def test_repairs_are_of_every_kind() -> None:
    def kinds(repair: tuple[Live, TargetSpec]) -> Iterable[str]:
        live, spec = repair
        desired = _desired(spec)
        written = [change.address for change in _plan(live, spec).changes]
        shut_out = not _who_assumes(live) <= _who_assumes(desired)
        return examples.true(
            nobody_is_shut_out=not shut_out,
            somebody_is_shut_out=shut_out,
            a_trust_policy_that_stays=TRUST not in written,
            sessions_end=CUTOFF in written,
            sessions_go_on=CUTOFF not in written,
            two_writes_of_a_document=len(written) > len({*written}),
            somebody_can_do_something_before=_through(live),
            somebody_can_do_something_after=_through(desired),
        )

    seen = examples.seen(200, repairs(), by=kinds)
    assert len(seen) == 8
    assert min(seen.values()) > 8, seen


def _follows_a_cut(change: Change, live: Live) -> bool:
    """The second of two writes restores what the first removed beyond the plan."""
    found = live.get(change.address)
    return found is not None and change.before != found.text


def _through(documents: Live) -> frozenset[tuple[str, str, str]]:
    """Who can do what on what by assuming the role."""
    granted, denied = set[tuple[str, str]](), set[tuple[str, str]]()
    for address, document in documents.items():
        if address not in (TRUST, CUTOFF):
            _add(document, granted, denied)
    may = {(action, thing) for action, thing in granted - denied}
    return frozenset((who, action, thing) for who, (action, thing) in product(_who_assumes(documents), may))


def _who_assumes(documents: Live) -> set[str]:
    return {who for who, action in _allowed(documents.get(TRUST)) if action == "sts:assumerole"}


def _allowed(document: Document | None) -> frozenset[tuple[str, str]]:
    granted, denied = set[tuple[str, str]](), set[tuple[str, str]]()
    if document is not None:
        _add(document, granted, denied)
    return frozenset(granted - denied)


def _add(document: Document, granted: set[tuple[str, str]], denied: set[tuple[str, str]]) -> None:
    """Requests as (who, action) of a trust policy, as (action, thing) of an identity policy."""
    raw = json.loads(document.text)["Statement"]
    for statement in raw if isinstance(raw, list) else [raw]:
        patterns = [pattern.lower() for pattern in as_list(statement["Action"])]
        actions = [action for action in REQUESTED if any(_glob(pattern, action) for pattern in patterns)]
        requests: set[tuple[str, str]]
        if "Principal" in statement:
            requests = set(product(_people(statement["Principal"]), actions))
        else:
            things = [thing for thing in THINGS if any(_glob(p, thing) for p in as_list(statement["Resource"]))]
            requests = set(product(actions, things))
        (granted if statement["Effect"] == "Allow" else denied).update(requests)


def _people(principal: Any) -> list[str]:
    names = ["*"] if principal == "*" else as_list(principal["AWS"])
    if "*" in names:
        return [*PEOPLE, "somebody"]
    return [who for who in PEOPLE if any(who in (name, f"arn:aws:iam::{name}:root") for name in names)]


def _glob(pattern: str, text: str) -> bool:
    """Every pattern here has at most one `*`, at its end."""
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
