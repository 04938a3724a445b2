"""What an audit finds is what brute force finds: who can on the repaired estate, and is not named by the spec."""

import copy
import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.answer_texts import edit_to_json
from ecr_warden.audit.finding import AuditResult, Certainty, Finding, FindingKind
from ecr_warden.audit.findings import SuccessiveAudits, find
from ecr_warden.audit.remedies import Remedies
from ecr_warden.audit.repaired import Live, Waits, as_repaired, none_repaired
from ecr_warden.audit.spec_access import SpecAccess
from ecr_warden.core.actions import Access
from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import Estate, target_of
from ecr_warden.core.target import UserTarget, parse_target
from ecr_warden_cli.asking.access import WhoCan, question, who_can
from ecr_warden_cli.report.matrix import Sources, matrix_of, taken
from ecr_warden_cli.report.report import REPOSITORY
from iam_access.document.document import Document
from iam_access.who_can.decide import Answer
from local.testing.seed import compiled
from tests import examples
from tests.property import estates
from tests.property.estates import AWAY, HOME, REPOSITORIES
from tests.property.holes import Hole, hidden, holes
from tests.snapshots import estate_from_text

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PUSH = (
    *("ecr:PutImage", "ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"),
    *("ecr:CompleteLayerUpload", "ecr:BatchGetImage"),
)
ACTIONS = {"pull": estates.PULL, "push": PUSH[:1]}
BY_DOCKER = {"pull": (*estates.PULL, estates.TOKEN), "push": (*PUSH, estates.TOKEN)}
_ROLES = {"shop/app": "app-pusher", "shop/web": "web-pusher"}
_BOUNDARY = f"arn:aws:iam::{HOME}:policy/ecr-warden/ecr-warden-boundary"
_WHO = {
    "ci:user/ann": f"arn:aws:iam::{AWAY}:user/ann",
    "ci:role/build": f"arn:aws:iam::{AWAY}:role/build",
    "registry:user/bob": f"arn:aws:iam::{HOME}:user/bob",
}
type Json = dict[str, Any]
type Actions = Mapping[str, tuple[str, ...]]

# To shrink an estate takes minutes.
_SOME = settings(examples.of(4, 30), phases=(Phase.explicit, Phase.reuse, Phase.generate))
_MODES = st.sampled_from(({}, {"mode": "observe"}, {"mode": "enforce"}))
_JOBS: st.SearchStrategy[list[Json]] = st.sampled_from(
    (
        [],
        [{"github": "acme/shop", "owner_id": 1, "repository_id": 2, "branch": "main"}],
        [{"oidc": "gitlab.com", "audience": "ecr", "subject": "project_path:acme/shop:ref_type:branch:ref:main"}],
    )
)
_SETS: st.SearchStrategy[list[Json]] = st.sampled_from(
    ([], [{"sso": {"permission_set": "Developer", "account": "ci"}}])
)
_BESIDE = st.lists(st.sampled_from(sorted(_WHO)), min_size=1, max_size=2, unique=True)
_PEOPLE = st.lists(st.sampled_from(sorted(_WHO)), max_size=3, unique=True)


@st.composite
def specs(draw: st.DrawFn) -> Json:
    """Both repositories, each with some of the identities of both accounts, jobs and permission sets, in some mode.

    Some of them in a statement beside the grants, which leaves the other side to their own policies.
    """
    repositories = []
    for name in REPOSITORIES:
        entry: Json = {"name": name, "account": "registry", "pull": [*draw(_PEOPLE), *draw(_SETS)]} | draw(_MODES)
        by = [*draw(_PEOPLE), *draw(_JOBS), *draw(_SETS)]
        if by:
            entry["push"] = [{"role": _ROLES[name], "by": by}]
        if draw(st.booleans()):
            names = {"AWS": [_WHO[one] for one in draw(_BESIDE)]}
            actions = [*draw(st.sampled_from((estates.PULL, PUSH)))]
            allow = {"Effect": "Allow", "Principal": names, "Action": actions}
            entry["beside"] = {"Version": "2012-10-17", "Statement": [allow]}
        repositories.append(entry)
    accounts = {"ci": {"id": AWAY} | draw(_MODES), "registry": {"id": HOME, "regions": ["eu-central-1"]} | draw(_MODES)}
    return {"version": 1, "accounts": accounts, "repositories": repositories, "settings": draw(_MODES)}


def _arn(role: str) -> str:
    return f"arn:aws:iam::{HOME}:role/ecr-warden/{role}"


def _compiled(spec: Json) -> CompiledSpec:
    return compiled(json.dumps(spec), now=NOW)


def _estate(snapshot: Json) -> Estate:
    return estate_from_text(json.dumps(snapshot), at=NOW)


def _with_boundary(snapshot: Json) -> Json:
    """The snapshot with the member stack's boundary in it."""
    made = copy.deepcopy(snapshot)
    versions = [{"VersionId": one, "IsDefaultVersion": one == "v2", "Document": estates.FULL} for one in ("v1", "v2")]
    made["accounts"][HOME]["iam"]["Policies"].append({"Arn": _BOUNDARY, "PolicyVersionList": versions})
    return made


def _repaired(snapshot: Json, compiled: CompiledSpec) -> Json:
    """The snapshot with the spec's documents written into it, in plain JSON."""
    made = copy.deepcopy(snapshot)
    people = {entry["Arn"].rpartition("/")[2]: entry for entry in estates.identities_of(made)}
    for name in _ROLES.values():
        if f"role/{HOME}/{name}" in compiled.targets:
            held = {"PermissionsBoundaryArn": _BOUNDARY}
            role = {"Arn": _arn(name), "RoleId": "AROA9", "RolePolicyList": [], "PermissionsBoundary": held}
            people[name] = role | {"AttachedManagedPolicies": [], "Tags": []}
            made["accounts"][HOME]["iam"]["RoleDetailList"].append(people[name])
    for spec in compiled.targets.values():
        for address, value in spec.granted.items():
            document = json.loads(value.text) if isinstance(value, Document) else None
            match address.kind:
                case AddressKind.REPOSITORY_POLICY:
                    repositories = made["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"]
                    found = next(one for one in repositories if one["repositoryName"] == spec.target.name)
                    found["policy"] = document
                case AddressKind.TRUST_POLICY:
                    people[spec.target.name]["AssumeRolePolicyDocument"] = document
                case AddressKind.IDENTITY_POLICY:
                    key = "UserPolicyList" if isinstance(spec.target, UserTarget) else "RolePolicyList"
                    inline = {"PolicyName": address.name, "PolicyDocument": document}
                    people[spec.target.name][key] = [*people[spec.target.name][key], inline]
                case _:
                    pass
    return made


def _named(spec: Json) -> set[tuple[str, str, str]]:
    """(repository, access, ARN) of everybody whom the spec names."""
    found = set()
    for entry in spec["repositories"]:
        found |= {(entry["name"], "pull", _WHO[one]) for one in entry["pull"] if isinstance(one, str)}
        for grant in entry.get("push", []):
            people = [_WHO[one] for one in grant["by"] if isinstance(one, str)]
            found |= {(entry["name"], "push", arn) for arn in (_arn(grant["role"]), *people)}
    return found


def _let_in(spec: Json, needed: Actions = ACTIONS) -> set[tuple[str, str, str]]:
    """(repository, access, ARN) of everybody whom a statement beside the grants names."""
    return {
        (entry["name"], access, arn)
        for entry in spec["repositories"]
        for statement in entry.get("beside", {"Statement": []})["Statement"]
        for access, actions in needed.items()
        if {*actions} <= {*statement["Action"], estates.TOKEN}
        for arn in statement["Principal"]["AWS"]
    }


def _directly(snapshot: Json, asked: set[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """How each of them can without assuming a role: `yes`, `conditional` or `no`."""
    found = {one[:2]: estates.directly(snapshot, one[0], ACTIONS[one[1]]) for one in asked}
    return {one: found[one[:2]][one[2]] for one in asked}


def _able(snapshot: Json, needed: Actions = ACTIONS) -> set[tuple[str, str, str]]:
    """(repository, access, ARN) of everybody who can, by brute force."""
    return {
        (name, access, arn)
        for name in REPOSITORIES
        for access, actions in needed.items()
        for arn in estates.who_can(snapshot, name, actions)
    }


def _short(finding: Finding) -> tuple[str, str, str]:
    return finding.place.partition("/eu-central-1/")[2], finding.access, finding.principal


def _found(findings: tuple[Finding, ...], kind: FindingKind) -> set[tuple[str, str, str]]:
    """Findings of a kind about users and roles."""
    return {_short(one) for one in findings if one.kind is kind and re.search(":(user|role)/", one.principal)}


@_SOME
@given(estates.estates(), specs())
def test_findings_are_brute_forces(drawn: Json, spec: Json) -> None:
    snapshot, compiled = _with_boundary(drawn), _compiled(spec)
    findings = find(_estate(snapshot), compiled, None, None).findings
    repaired = _repaired(snapshot, compiled)
    able, intended, let_in = _able(repaired), _named(spec), _let_in(spec)
    masters, others = (estates.administrators(repaired, account, unlimited=True) for account in (HOME, AWAY))
    extra = {one for one in able - intended if one[2] not in masters}
    found = _found(findings, FindingKind.EXTRA) - intended
    assert found <= extra
    # Administrators of the other account could act as those in it whom the spec names.
    spared = {one for one in extra - found if one[2] not in others}
    direct = _directly(repaired, let_in)
    assert spared <= {one for one, answer in direct.items() if answer != "no"}
    assert not found & {one for one, answer in direct.items() if answer == "yes"}
    # In the repository's account, being named is enough.
    by_docker = _able(repaired, BY_DOCKER)
    missing = _found(findings, FindingKind.MISSING)
    assert intended - by_docker <= missing <= (intended | _let_in(spec, BY_DOCKER)) - by_docker
    assert {one.key for one in find(_estate(repaired), compiled, None, None).findings} == {one.key for one in findings}


@_SOME
@given(estates.estates(), specs())
def test_who_can_says_not_in_spec_of_the_same_paths(drawn: Json, spec: Json) -> None:
    compiled = _compiled(spec)
    repaired = _repaired(_with_boundary(drawn), compiled)
    estate = _estate(repaired)
    graph = RepositoryGraph(estate)
    masters = set().union(*(estates.administrators(repaired, one, unlimited=True) for one in (HOME, AWAY)))
    findings = find(estate, compiled, None, None).findings
    for name in REPOSITORIES:
        for access in ("pull", "push"):
            asked = question(graph, access, name)
            target = asked.repository.target
            is_given = partial(SpecAccess(compiled, estate, [target]).gives, access, target)
            paths = graph.who_can(asked.ways[0]).items()
            said = {arn for arn, path in paths if path.subject.identity and arn not in masters and not is_given(path)}
            extra = {one for one in _found(findings, FindingKind.EXTRA) if one[2] not in masters}
            assert {arn for where, what, arn in extra if (where, what) == (name, access)} == said


@_SOME
@given(estates.estates(), specs(), st.data())
def test_what_is_also_allowed_is_no_finding_and_nothing_else_changes(
    drawn: Json, spec: Json, data: st.DataObject
) -> None:
    estate = _estate(_with_boundary(drawn))
    findings = find(estate, _compiled(spec), None, None).findings
    extra = [one for one in findings if one.kind is FindingKind.EXTRA and one.principal.startswith("arn:")]
    if extra:
        one = data.draw(st.sampled_from(extra))
        name, access, principal = _short(one)
        entry = {"principals": [principal], "reason": "meant", "access": [access], "repositories": [name]}
        allowed = find(estate, _compiled(spec | {"also_allowed": [entry]}), None, None).findings
        assert allowed == tuple(other for other in findings if other is not one)


@_SOME
@given(estates.estates(), specs(), st.data())
def test_a_remedy_ends_its_finding_and_takes_nothing_from_whoever_the_spec_lets_in(
    drawn: Json, spec: Json, data: st.DataObject
) -> None:
    snapshot, compiled = _with_boundary(drawn), _compiled(spec)
    graph = RepositoryGraph(as_repaired(_estate(snapshot), compiled))
    targets = [one.target for one in graph.estate.repositories()]
    remedies = Remedies(graph, compiled, SpecAccess(compiled, graph.estate, targets))
    findings = find(_estate(snapshot), compiled, None, None).findings
    extra = [one for one in findings if one.kind is FindingKind.EXTRA and one.principal.startswith("arn:")]
    if extra:
        one = data.draw(st.sampled_from(extra))
        name, access, principal = _short(one)
        repository = graph.estate.accounts[HOME].registries["eu-central-1"].repositories[name]
        path = graph.who_can(graph.permissions(Access(access), repository))[principal]
        edits = remedies.cut(path)
        assert edits
        assert any(word in one.remedy for word in ("remove statement", "detach", '"Deny"'))
        changed = _never_empty(estates.applied(snapshot, [edit_to_json(edit) for edit in edits]))
        assert one.key not in {other.key for other in find(_estate(changed), compiled, None, None).findings}
        # Whoever pushes through a push role need not be able to without it.
        direct = {each for each in _named(spec) if each[1] == "pull" or ":role/ecr-warden/" in each[2]}
        let_in = (direct | _let_in(spec)) - {(name, access, principal)}
        before, after = (_directly(_repaired(each, compiled), let_in) for each in (snapshot, changed))
        assert {one for one in let_in if before[one] != "no" and after[one] == "no"} == set()


@_SOME
@given(estates.estates(), specs(), st.data())
def test_the_repair_that_a_remedy_names_ends_its_finding(drawn: Json, spec: Json, data: st.DataObject) -> None:
    snapshot, compiled = _with_boundary(drawn), _compiled(spec)
    waiting = [key for key in sorted(compiled.targets) if data.draw(st.booleans())]
    findings = find(_estate(snapshot), compiled, None, None, live=dict.fromkeys(waiting, Waits.FAILED).get).findings
    for one in findings:
        if one.remedy.startswith("ecr-warden reconcile "):
            named = one.remedy.split(" and ")
            repaired = [parse_target(text.removeprefix("ecr-warden reconcile ")).key for text in named]
            left = {key: Waits.FAILED for key in waiting if key not in repaired}
            again = find(_estate(snapshot), compiled, None, None, live=left.get).findings
            assert not [other for other in again if other.key == one.key], one
            assert one.ends_repaired


def _never_empty(value: Any) -> Any:
    """IAM takes no document without a statement: a Deny of something else stands in for the removed ones."""
    if isinstance(value, list):
        return [_never_empty(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("Statement") == []:
        return value | {
            "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": "*"}]
        }
    return {key: _never_empty(one) for key, one in value.items()}


_COPIES = {"shop/app": "shop/api", "shop/web": "old"}


def _copied(snapshot: Json) -> Json:
    """The snapshot with as many repositories more, each with the policy of one that there is."""
    made = copy.deepcopy(snapshot)
    listed = made["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"]
    for one in [*listed]:
        listed.append({**one, "repositoryName": _COPIES[one["repositoryName"]]})
    return made


def _alone(snapshot: Json, name: str) -> Json:
    """The snapshot without the other repositories."""
    made = copy.deepcopy(snapshot)
    registry = made["accounts"][HOME]["ecr"]["eu-central-1"]
    registry["repositories"] = [one for one in registry["repositories"] if one["repositoryName"] == name]
    return made


@settings(_SOME, max_examples=examples.number(2, 30))
@given(estates.estates(), specs(), st.booleans())
def test_a_repository_among_others_like_it_has_the_findings_and_the_row_that_it_has_alone(
    drawn: Json, spec: Json, names: bool
) -> None:
    snapshot = _copied(_with_boundary(drawn))
    also = [{**spec["repositories"][0], "name": "shop/api", "push": []}, {"name": "o*", "account": "registry"}]
    compiled = _compiled(spec | {"repositories": [*spec["repositories"], *(also if names else ())]})
    together, matrix = find(_estate(snapshot), compiled, None, None), _expanded(snapshot, compiled)
    masters: set[str] = set()
    for name in (*REPOSITORIES, *_COPIES.values()):
        place, only = f"repository/{HOME}/eu-central-1/{name}", _alone(snapshot, name)
        alone = find(_estate(only), compiled, None, None)
        assert [one for one in together.findings if one.place == place] == [
            one for one in alone.findings if one.place == place
        ]
        masters |= {*alone.administrators[HOME]}
        assert matrix[place] == _expanded(only, compiled)[place]
    assert {*together.administrators[HOME]} == masters


def _expanded(snapshot: Json, compiled: CompiledSpec) -> Json:
    """By repository, who can do what in which way, as the report says it: without any number in a table."""
    matrix = matrix_of(Sources(_estate(snapshot), compiled))
    texts = matrix.texts
    said = {
        (texts[holder], texts[policy], number): texts[statement]
        for holder, policy, number, statement in matrix.statements
    }
    found: Json = {}
    for row in matrix.rows:
        entries: set[Any] = set()
        for group in (matrix.groups[at] for at in taken(row.groups or ())):
            way = matrix.ways[group.way]
            because = tuple(
                (
                    texts[one.policy],
                    texts[one.allows],
                    one.statement,
                    one.holder if one.holder < 0 else texts[one.holder],
                    said.get((row.target, texts[one.policy], one.statement)) if one.holder == REPOSITORY else None,
                )
                for one in way.because
            )
            through = tuple(texts[one] for one in way.through)
            who = tuple(sorted(matrix.principals[at].name for at in taken(group.runs)))
            conditions = tuple(texts[one] for one in way.conditions)
            entries.add((group.access, way.answer, way.ground, through, conditions, because, who))
        found[row.target] = entries
    return found


@pytest.mark.thorough
def test_all_kinds_are_drawn() -> None:
    seen = dict.fromkeys((FindingKind.EXTRA, FindingKind.MISSING), 0)
    let_in = 0

    @settings(max_examples=40, database=None, derandomize=True)
    @given(estates.estates(), specs())
    def draw(drawn: Json, spec: Json) -> None:
        nonlocal let_in
        snapshot, compiled = _with_boundary(drawn), _compiled(spec)
        direct = _directly(_repaired(snapshot, compiled), _let_in(spec) - _named(spec))
        let_in += [*direct.values()].count("yes")
        for one in find(_estate(snapshot), compiled, None, None).findings:
            if one.kind in seen:
                seen[one.kind] += 1

    draw()
    assert min(seen.values()) > 20
    assert let_in > 5


@_SOME
@given(estates.estates(), holes() | holes(lacking=True), specs())
def test_an_audit_is_never_whole_where_the_commands_do_not_know(
    drawn: Json, hidden_parts: list[Hole], spec: Json
) -> None:
    """Of documents as they are: what a command calls unknown is unread for the audit, or a finding that is unknown."""
    compiled, estate = _compiled(spec), _estate(hidden(_with_boundary(drawn), hidden_parts))
    audit = find(estate, compiled, None, None, live=none_repaired)
    is_whole = not audit.unread and all(one.certainty is not Certainty.UNKNOWN for one in audit.findings)
    graph = RepositoryGraph(estate)
    for name in REPOSITORIES:
        for access in ACTIONS:
            found = who_can(graph, question(graph, access, name))
            assert not (is_whole and found.unread and not _is_masters(found, audit)), (name, access)


def _is_masters(found: WhoCan, audit: AuditResult) -> bool:
    """Is it unknown of administrators alone, whose access is no finding?"""
    masters = {arn for names in audit.administrators.values() for arn in names}
    unknown = {path.subject.arn for path in (*found.identities, *found.classes) if path.answer is Answer.UNKNOWN}
    return bool(unknown) and unknown <= masters


def _changed(snapshot: Json, other: Json, number: int) -> Json:
    """The snapshot with one of its users, roles or repositories as it is in another one, or without it."""
    made, people = copy.deepcopy(snapshot), [*estates.identities_of(other)]
    repositories = other["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"]
    if number < len(repositories):
        made["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"][number] = repositories[number]
        return made
    there = people[number % len(people)]
    for account in made["accounts"].values():
        for key in ("UserDetailList", "RoleDetailList"):
            kept = [one for one in account["iam"].get(key, ()) if one["Arn"] != there["Arn"]]
            if len(kept) < len(account["iam"].get(key, ())):
                account["iam"][key] = [*kept, *([there] if number % 3 else [])]
    return made


@_SOME
@given(estates.estates(), estates.estates(), specs(), st.lists(st.integers(0, 9), min_size=1, max_size=3))
def test_an_audit_after_a_change_finds_what_an_audit_of_everything_finds(
    drawn: Json, other: Json, spec: Json, numbers: list[int]
) -> None:
    compiled, audits = _compiled(spec), SuccessiveAudits()
    snapshots = [drawn]
    for number in numbers:
        snapshots.append(_changed(snapshots[-1], other, number))
    for snapshot in snapshots:
        estate = _estate(_with_boundary(snapshot))
        assert audits.find(estate, compiled, None, None) == find(estate, compiled, None, None)


@_SOME
@given(estates.estates(), specs(), st.integers(0, 2**16))
def test_what_a_repair_ends_is_what_an_audit_of_everything_repaired_does_not_find(
    drawn: Json, spec: Json, chosen: int
) -> None:
    """Although that takes from the audit of what is there whatever the repairs that wait cannot change."""
    compiled, estate = _compiled(spec), _estate(_with_boundary(drawn))
    people = (one for account in estate.accounts.values() for one in account.identities.values())
    keys = sorted({*compiled.targets, *(target_of(one).key for one in people)})
    once = find(estate, compiled, None, None)
    left = {finding.key for finding in once.findings}
    for bits in (chosen, 2**16 - 1, 2**16 - 1 - chosen):
        waits = {key for number, key in enumerate(keys) if bits >> number % 16 & 1}
        audit = find(estate, compiled, None, None, live=_paused(waits))
        if any(finding.ends_repaired for finding in audit.findings):
            assert _missing_of(audit) == _missing_of(once)
            assert all(one.ends_repaired is (one.key not in left) for one in audit.findings)


def _paused(keys: Collection[str]) -> Live:
    return lambda key: Waits.PAUSED if key in keys else None


def _missing_of(audit: AuditResult) -> set[Finding]:
    return {one for one in audit.findings if one.kind is FindingKind.MISSING}
