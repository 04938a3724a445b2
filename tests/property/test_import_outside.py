"""No imported spec lets in an outsider: judged by an oracle that enumerates outsiders and asks about each."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.core.desired import CompiledSpec
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.who_can.ours import Ours
from tests import examples
from tests.property.test_ours import CI, HOME, OURS, ROLE, let_in, statements
from tests.unit.importing.imports import imported
from tests.unit.importing.letting_in import in_force, loaded, with_lines

type Json = dict[str, Any]

_DENY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "ecr:PutImage",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
_PULL = {"Effect": "Allow", "Principal": {"AWS": CI}, "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}
_PUSH = {"Statement": {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}}


_KINDS = {"repository": DocumentKind.RESOURCE, "trust": DocumentKind.TRUST}


def _policies(kind: str) -> st.SearchStrategy[Json]:
    usual = (
        (_PULL, _DENY)
        if kind == "repository"
        else ({"Effect": "Allow", "Principal": {"AWS": CI}, "Action": "sts:AssumeRole"},)
    )
    several = st.lists(statements(kind) | st.sampled_from(usual), min_size=1, max_size=3)
    return several.map(lambda some: {"Version": "2012-10-17", "Statement": some})


def _snapshot(policy: Json, other: Json, trust: Json) -> Json:
    repositories = [{"repositoryName": "shop/a", "policy": policy}, {"repositoryName": "shop/b", "policy": other}]
    role = {"Arn": ROLE, "RoleId": "AROADEPLOY", "AssumeRolePolicyDocument": trust, "AttachedManagedPolicies": []}
    own = [{"PolicyName": "push", "PolicyDocument": _PUSH}]
    iam = {
        "UserDetailList": [],
        "GroupDetailList": [],
        "Policies": [],
        "RoleDetailList": [role | {"RolePolicyList": own}],
    }
    empty: Json = {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": []}
    home = {"iam": iam, "ecr": {"eu-central-1": {"repositories": repositories}}}
    return {"schema": 1, "accounts": {CI: {"iam": empty}, HOME: home}}


def _documents(compiled: CompiledSpec) -> dict[str, Document]:
    """What the spec would write, by the name of the repository or role."""
    return {
        spec.target.name: document
        for spec in compiled.targets.values()
        for address, document in spec.documents.items()
        if isinstance(document, Document) and not address.name
    }


@examples.of(60, 400)
@given(_policies("repository"), _policies("repository"), _policies("trust"), st.sampled_from((Ours(), OURS)))
def test_no_document_of_an_imported_spec_lets_in_an_outsider(
    policy: Json, other: Json, trust: Json, ours: Ours
) -> None:
    snapshot = _snapshot(policy, other, trust)
    live = {"shop/a": policy, "shop/b": other, "deploy": trust}
    made = imported(snapshot, ours=ours)
    said = _documents(made.loaded.compiled)
    for name, document in said.items():
        kind = "trust" if name == "deploy" else "repository"
        assert let_in(document, kind) == []
        assert not gained_and_lost(parse_document(live[name]), document, kind=_KINDS[kind]).gained

    # Whoever takes the lines that wait gets what is there, but what no spec can hold.
    taken = _documents(loaded(with_lines(made.text)))
    for name, document in taken.items():
        kind = "trust" if name == "deploy" else "repository"
        waits = f"  # - name: {name}\n" in made.text or kind == "trust"
        assert let_in(document, kind) == (let_in(parse_document(live[name]), kind) if waits else [])
    # Enforcing without them changes nothing for anybody.
    after = in_force(snapshot, made.text)["accounts"][HOME]
    now = {one["repositoryName"]: one["policy"] for one in after["ecr"]["eu-central-1"]["repositories"]}
    now["deploy"] = after["iam"]["RoleDetailList"][0]["AssumeRolePolicyDocument"]
    for name, raw in live.items():
        kind = "trust" if name == "deploy" else "repository"
        then = let_in(parse_document(now[name]), kind) if now[name] else []
        assert then == let_in(parse_document(raw), kind)


@pytest.mark.thorough
def test_outsiders_insiders_and_lines_are_all_drawn() -> None:
    def kinds(policy: Json, trust: Json) -> Iterable[str]:
        made = imported(_snapshot(policy, policy, trust))
        return examples.true(
            waits="  # - name: " in made.text,
            role_waits="  # - kind: " in made.text,
            role=made.loaded.spec.literals,
            observed="mode: observe\n    " in made.text,
            enforced=any(entry.mode is None for entry in made.loaded.spec.repositories),
        )

    seen = examples.seen(80, _policies("repository"), _policies("trust"), by=kinds)
    assert len(seen) == 5 and min(seen.values()) >= 5, seen


_HOSTILE = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    (
        "a: b",
        "# no",
        "\n",
        "\r\nversion: 2",
        "\x1b[31m",
        "  - name: x",
        "\n  - name: x\n",
        "\u2028",
        "*a",
        "&a",
        '"',
        "]}",
    )
)


@examples.of(20, 100)
@given(_HOSTILE, _HOSTILE, st.lists(_HOSTILE, min_size=1, max_size=3))
def test_no_text_of_an_outsider_becomes_part_of_the_spec(who: str, sid: str, values: list[str]) -> None:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::999999999999:user/{who}", CI]},
        "Action": "ecr:BatchGetImage",
        "Condition": {"StringLike": {f"aws:PrincipalTag/{who}": values}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    trust = {"Version": "2012-10-17", "Statement": [statement | {"Action": "sts:AssumeRole"}]}
    made = imported(_snapshot(policy, policy, trust))
    assert {*_documents(made.loaded.compiled)} <= {"shop/a", "shop/b"}
    assert "999999999999" not in json.dumps([document.text for document in _documents(made.loaded.compiled).values()])
    assert not any(one < " " or one == "\x7f" for line in made.text.split("\n") for one in line)
    loaded(with_lines(made.text))
