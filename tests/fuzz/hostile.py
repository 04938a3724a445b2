"""Documents made to be hard, at every place that reads other people's documents; the work of each is counted."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from copy import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.findings import find
from ecr_warden.collect.observed import LiveEstate
from ecr_warden.core.desired import CompiledSpec, TargetSpec
from ecr_warden.core.estate import Estate
from ecr_warden.versions.access_changes import access_changes
from ecr_warden.versions.changes import Versions
from ecr_warden.versions.judge import judge
from ecr_warden_cli.asking.access import can_i, find_subject, question, who_can
from ecr_warden_cli.importing.importing import ImportFailed, import_estate
from ecr_warden_cli.report.matrix import Sources, matrix_of
from iam_access.delta.delta import gained_and_lost, intersection
from iam_access.delta.describe import describe_change
from iam_access.delta.relate import relate
from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.lint import lint
from local.testing.printed import complete
from local.testing.seed import compiled
from tests.snapshots import estate_from_text
from tests.unit.iam_access.nasty import nasty_pair

type Json = dict[str, Any]

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HOME, AWAY = "222222222222", "111111111111"
BOB, BUILD = f"arn:aws:iam::{HOME}:user/bob", f"arn:aws:iam::{HOME}:role/build"
_TOKEN = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
_ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
_SPEC = f"""
version: 1
accounts: {{ci: {{id: "{AWAY}"}}, registry: {{id: "{HOME}", regions: [eu-central-1]}}}}
repositories:
  - {{name: shop/app, account: registry, pull: [ci:user/ann], push: [{{role: pusher, by: [ci:user/ann]}}]}}
  - {{name: shop/web, account: registry, pull: [ci:user/ann]}}
settings: {{mode: enforce}}
"""


class Hard(NamedTuple):
    """Two documents of each kind, as plain JSON."""

    identity: tuple[Json, Json]
    repository: tuple[Json, Json]
    trust: tuple[Json, Json]


def drawn(seed: int) -> Hard:
    """The documents of a number, each as large as AWS takes."""
    return Hard(*(nasty_pair(seed, kind) for kind in ("identity", "repository", "trust")))


def planted(document: Json) -> Hard:
    """One identity policy, and what it is beside."""
    plain = {"Version": "2012-10-17", "Statement": [_TOKEN, _ASSUME]}
    open_ = {"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "ecr:*"}
    trust = {"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "sts:AssumeRole"}
    return Hard((document, plain), ({"Statement": [open_]},) * 2, ({"Statement": [trust]},) * 2)


def _snapshot(hard: Hard) -> Json:
    """A user and a role with the identity policies, and a repository with the repository policy."""
    own = [{"PolicyName": f"p{number}", "PolicyDocument": one} for number, one in enumerate(hard.identity)]
    more = {"PolicyName": "more", "PolicyDocument": {"Version": "2012-10-17", "Statement": [_TOKEN, _ASSUME]}}
    ann = {"Arn": f"arn:aws:iam::{AWAY}:user/ann", "UserId": "AIDAANN", "UserPolicyList": [own[0], more]}
    bob = {"Arn": BOB, "UserId": "AIDABOB", "UserPolicyList": [own[0], more]}
    build: Json = {"Arn": BUILD, "RoleId": "AROABUILD", "RolePolicyList": [*own, more]}
    build["AssumeRolePolicyDocument"] = hard.trust[0]
    repositories = [{"repositoryName": f"shop/{name}", "policy": hard.repository[0]} for name in ("app", "web", "old")]
    ecr: Json = {"eu-central-1": {"repositories": repositories, "registryPolicy": hard.repository[1]}}
    home: Json = {"iam": {"UserDetailList": [bob], "RoleDetailList": [build]}, "ecr": ecr}
    home["serviceControlPolicies"] = [[hard.identity[1], _allow_all()]]
    return complete({"schema": 1, "accounts": {HOME: home, AWAY: {"iam": {"UserDetailList": [ann]}}}})


def _allow_all() -> Json:
    return {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def _estate(hard: Hard) -> Estate:
    return estate_from_text(json.dumps(_snapshot(hard)), at=NOW)


def _compiled(documents: Mapping[str, Json]) -> CompiledSpec:
    """The spec, with other documents in place of its own, by the kind of their address."""
    plain = compiled(_SPEC, now=NOW)

    def changed(spec: TargetSpec) -> TargetSpec:
        held = {
            address: parse_document(documents[address.kind])
            if address.kind in documents and isinstance(value, Document)
            else value
            for address, value in spec.documents.items()
        }
        return replace(spec, documents=held)

    targets = {key: changed(spec) for key, spec in plain.targets.items()}
    return replace(plain, targets=targets)


def _versions(hard: Hard) -> tuple[CompiledSpec, CompiledSpec]:
    kinds = "identity-policy", "repository-policy", "trust-policy"
    old, new = ({kind: pair[at] for kind, pair in zip(kinds, hard, strict=True)} for at in (0, 1))
    return _compiled(old), _compiled(new)


_PAIRS = (DocumentKind.IDENTITY, DocumentKind.RESOURCE, DocumentKind.TRUST)


def _pairs(hard: Hard) -> Iterator[tuple[DocumentKind, Document, Document]]:
    for kind, (live, desired) in zip(_PAIRS, hard, strict=True):
        yield kind, parse_document(live), parse_document(desired)


def _structural(hard: Hard) -> None:
    for kind, live, desired in _pairs(hard):
        relate(live, desired, kind=kind)
        describe_change(gained_and_lost(live, desired, kind=kind), subject="shop/app")
        intersection(live, desired, kind=kind)


def _linted(hard: Hard) -> None:
    for kind, live, desired in _pairs(hard):
        lint(live, kind=kind)
        lint(desired, kind=kind)


def _can_i(hard: Hard) -> None:
    graph = RepositoryGraph(_estate(hard))
    for arn in (BOB, BUILD):
        can_i(graph, find_subject(graph, arn), question(graph, "push", "shop/app"))


def _who_can(hard: Hard) -> None:
    graph = RepositoryGraph(_estate(hard))
    who_can(graph, question(graph, "pull", "shop/app"))


def _found(hard: Hard) -> None:
    find(_estate(hard), _compiled({}), None, None)


def _matrix(hard: Hard) -> None:
    matrix_of(Sources(_estate(hard), _compiled({})))


def _differences(hard: Hard) -> None:
    access_changes(*_versions(hard))


def _judged(hard: Hard) -> None:
    accepted, new = _versions(hard)
    judge(Versions(accepted, accepted, new), LiveEstate(_estate(hard)), removed_before=0, now=NOW)


def _imported(hard: Hard) -> None:
    with suppress(ImportFailed):
        import_estate(_estate(hard), {HOME: "registry", AWAY: "ci"}, now=NOW)


MOST = 150_000_000
"""Calls and turns of one entry point on documents of full size: the hardest known take 60 million, some 15 seconds."""

ENTRIES: Mapping[str, Callable[[Hard], None]] = {
    "relate": _structural,
    "lint": _linted,
    "can-i": _can_i,
    "who-can": _who_can,
    "audit": _found,
    "report": _matrix,
    "diff": _differences,
    "judge": _judged,
    "import": _imported,
}
