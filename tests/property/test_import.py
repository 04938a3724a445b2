"""An imported spec loads, says what was there, and changes what its summary says: judged by brute force."""

import json
from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden_cli.importing.effects import ImportEffect
from ecr_warden_cli.terminal.yaml_values import block, comment
from local.testing.grown import grown
from tests import examples
from tests.property import estates
from tests.unit.importing.imports import NOW, imported
from tests.unit.importing.letting_in import in_force

type Json = dict[str, Any]

_PULL = (*estates.PULL, estates.TOKEN)
_NAMES = (
    f"arn:aws:iam::{estates.AWAY}:user/ann",
    f"arn:aws:iam::{estates.HOME}:user/bob",
    f"arn:aws:iam::{estates.AWAY}:role/build",
    f"arn:aws:iam::{estates.AWAY}:root",
    estates.HOME,
    "AIDAQHBJ5XEXAMPLE0001",
    "arn:aws:iam::999999999999:root",
)
_ACTIONS = (
    *([*estates.PULL], [*estates.PULL], [*estates.PULL], ["ecr:BatchGet*", "ecr:GetDownloadUrlForLayer"]),
    *([*estates.PULL, "ecr:DescribeImages"], [*estates.PULL, estates.TOKEN], ["ecr:*"], ["ecr:PutImage"]),
)


@st.composite
def _habits(draw: st.DrawFn) -> Json | None:
    """A repository policy as people write them."""
    if draw(st.integers(0, 5)) == 0:
        return None
    names = draw(st.sampled_from((_NAMES, _NAMES[:5], _NAMES[:5])))
    statements = [
        {
            "Effect": "Allow",
            "Principal": draw(
                st.fixed_dictionaries({"AWS": st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)})
                if draw(st.integers(0, 7))
                else st.just("*")
            ),
            "Action": draw(st.sampled_from(_ACTIONS)),
        }
        for _ in range(draw(st.sampled_from((1, 1, 2))))
    ]
    return {"Version": draw(st.sampled_from(("2012-10-17", "2008-10-17"))), "Statement": statements}


@st.composite
def _snapshots(draw: st.DrawFn) -> Json:
    """Two accounts with any policies, the repositories' mostly as people write them."""
    snapshot: Json = draw(estates.estates())
    registry = snapshot["accounts"][estates.HOME]["ecr"]["eu-central-1"]
    for entry in registry["repositories"]:
        if draw(st.integers(0, 5)):
            entry["policy"] = draw(_habits())
    for account in snapshot["accounts"].values():
        for kind in ("User", "Role"):
            for entry in account["iam"][f"{kind}DetailList"]:
                if draw(st.integers(0, 3)):
                    entry[f"{kind}PolicyList"].append({"PolicyName": "pull", "PolicyDocument": draw(_readers())})
    return snapshot


def _readers() -> st.SearchStrategy[Json]:
    """Identity policies that let somebody pull, from everywhere or from one repository."""
    login = {"Effect": "Allow", "Action": estates.TOKEN, "Resource": "*"}
    return st.sampled_from(("*", "*", "*", *estates.ARNS)).map(
        lambda resource: {
            "Version": "2012-10-17",
            "Statement": [login, {"Effect": "Allow", "Action": ["ecr:Batch*", "ecr:Get*"], "Resource": resource}],
        }
    )


@examples.of(12, 60)
@given(_snapshots())
def test_nothing_changes_who_can_pull(snapshot: Json) -> None:
    made = imported(snapshot)
    assert not [one for one in made.outcomes if one.effect is ImportEffect.CHANGE]
    after = in_force(snapshot, made.text)
    for name in estates.REPOSITORIES:
        was, will = (estates.who_can(one, name, _PULL) for one in (snapshot, after))
        assert was == will


@pytest.mark.thorough
def test_grants_statements_beside_them_and_outsiders_are_all_drawn() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=60, database=None, derandomize=True)
    @given(_snapshots())
    def draw(snapshot: Json) -> None:
        made = imported(snapshot)
        spec = made.loaded.spec
        seen["grants"] += sum(bool(entry.pull) for entry in spec.repositories)
        seen["no policy"] += sum(not entry.pull for entry in spec.repositories)
        seen["beside"] += sum(entry.beside is not None for entry in spec.repositories)
        seen["outsiders"] += len(made.outsiders)

    draw()
    assert min(seen.values()) >= 5, seen


@examples.of(10)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_grown_accounts_are_described_without_a_change(seed: int, repositories: int) -> None:
    snapshot = grown(repositories, seed).snapshot()
    made = imported(snapshot)
    assert made.text == imported(snapshot).text
    assert not [one for one in made.outcomes if one.effect is ImportEffect.CHANGE]
    assert made.pull_access.granted <= made.pull_access.all


_HOSTILE = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ("a: b", "# no", "'", '"', "\\", "{x}", "[x", "- x", "yes", "~", "\r\nversion: 2", "*a", "&a", "!!x", "0o7", "\x7f")
)


@examples.of(12, 60)
@given(st.lists(_HOSTILE, min_size=1, max_size=4), _HOSTILE, _HOSTILE)
def test_no_text_of_a_policy_becomes_anything_else(values: list[str], sid: str, key: str) -> None:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": estates.HOME},
        "Action": "ecr:BatchGetImage",
        "Condition": {"StringEquals": {f"aws:PrincipalTag/{key}": values}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    made = imported(_one(json.dumps(policy)))
    said = [json.loads(entry.beside.text) for entry in made.loaded.spec.repositories if entry.beside]
    assert said in ([], [policy])
    assert len(said) + len(made.left_out) == 1
    assert made.loaded.spec.mode == "observe"


@given(_HOSTILE)
def test_a_policy_that_is_none_stays_in_a_comment(text: str) -> None:
    made = imported(_one("{" + text))
    assert not made.loaded.compiled.targets
    assert len(made.left_out) == 1


_CONDITIONS = st.dictionaries(
    st.sampled_from(("StringEquals", "StringLike", "ForAnyValue:StringEquals", "ArnLike", "DateLessThan", "IpAddress")),
    st.dictionaries(
        st.sampled_from(("aws:PrincipalOrgID", "aws:SourceArn", "aws:SourceAccount", "aws:CurrentTime")),
        st.lists(
            st.sampled_from(("o-a1b2c3d4e5", estates.HOME, f"arn:aws:lambda:*:{estates.HOME}:function:*", "0.0.0.0/0"))
            | _HOSTILE,
            min_size=1,
            max_size=2,
        ),
        min_size=1,
        max_size=2,
    ),
    max_size=2,
)
_ODD = _HOSTILE | st.none() | st.booleans() | st.integers() | st.lists(_HOSTILE, max_size=2)
_PRINCIPALS = (
    *("*", {"AWS": "*"}, {"AWS": [f"arn:aws:iam::{estates.AWAY}:root", estates.HOME]}),
    *({"Service": "lambda.amazonaws.com"}, {"Service": ["codebuild.amazonaws.com"]}),
)
_ELEMENTS = ("Effect", "Action", "Principal", "Condition", "Resource", "NotAction", "NotPrincipal", "Sid")


@st.composite
def _nearly_valid(draw: st.DrawFn) -> Json:
    """A repository policy of statements as people write them, of which one may have an element that AWS refuses."""
    statements: list[Json] = [
        {
            "Effect": draw(st.sampled_from(("Allow", "Allow", "Allow", "Deny"))),
            "Principal": draw(st.sampled_from(_PRINCIPALS)),
            "Action": draw(st.sampled_from((*_ACTIONS, ["ecr:Get*", "ecr:BatchGetImage", "ecr:PutImage"]))),
            "Condition": draw(_CONDITIONS),
        }
        for _ in range(draw(st.integers(1, 3)))
    ]
    if draw(st.booleans()):
        statements[0][draw(st.sampled_from(_ELEMENTS))] = draw(_ODD)
    return {"Version": draw(st.sampled_from(("2012-10-17", "2008-10-17"))), "Statement": statements}


@examples.of(25, 120)
@given(_nearly_valid())
def test_no_policy_stops_an_import_and_none_is_lost_or_changed(policy: Json) -> None:
    made = imported(_one(json.dumps(policy)))
    targets = [key for key in made.loaded.compiled.targets if key.startswith("repository/")]
    assert len(targets) + len(made.left_out) == 1
    assert not [one for one in made.outcomes if one.effect is ImportEffect.CHANGE]


def _one(policy: str) -> Json:
    entry = {"repositoryName": "shop/app", "policy": policy}
    return {
        "schema": 1,
        "accounts": {estates.HOME: {"iam": {}, "ecr": {"eu-central-1": {"repositories": [entry]}}}},
    }


@examples.of(12, 50)
@given(_HOSTILE, st.lists(_HOSTILE, min_size=1, max_size=3), st.integers() | st.booleans())
def test_every_value_is_read_as_it_was_written(key: str, values: list[str], other: int) -> None:
    written = "\n".join(block({"head": {key: values, "other": other}, "list": [[*values], {key: values[0]}]}))
    assert yaml.safe_load(written) == {"head": {key: values, "other": other}, "list": [values, {key: values[0]}]}


@given(_HOSTILE)
def test_a_comment_stays_one(text: str) -> None:
    lines = [*comment(text, 2), "version: 1", 'accounts: {home: {id: "222222222222"}}']
    assert isinstance(load_spec("\n".join(lines).encode(), now=NOW), Valid)
