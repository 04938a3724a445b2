"""Named estates and the spec that each of them becomes."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden_cli.importing.effects import ImportEffect
from ecr_warden_cli.importing.importing import PullAccess
from iam_access.who_can.ours import Ours
from local.testing.printed import complete
from tests import tables
from tests.unit.importing.imports import ALIASES, EVERYBODY, Json, imported

_IDS = {alias: account for account, alias in ALIASES.items()}
_READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
_READER = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": "*",
        }
    ],
}
_PUSHER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}]}
CASES = [case for path in sorted(Path("tests/cases/import").glob("*.yaml")) for case in tables.load(path.read_text())]


def snapshot_of(case: Json) -> Json:
    """The snapshot that a case describes."""
    managed = _PUSHER if case.get("managed_push") else _READER
    accounts: Json = {account: {"iam": _iam(managed), "ecr": {}} for account in (_IDS["ci"], _IDS["registry"])}
    for text, held in case.get("people", {}).items():
        alias, resource = text.split(":", 1)
        iam = accounts[_IDS[alias]]["iam"]
        iam[f"{resource.partition('/')[0].title()}DetailList"].append(_person(_IDS[alias], resource, held))
    if "providers" in case:
        accounts[_IDS["registry"]]["oidcProviders"] = case["providers"]
    for text, policy in case.get("policies", {}).items():
        region, _, name = text.rpartition(" ")
        registry = accounts[_IDS["registry"]]["ecr"].setdefault(region or "eu-central-1", {"repositories": []})
        entry: Json = {"repositoryName": name, "policy": policy}
        registry["repositories"].append(entry | {"tags": _tags(case.get("tags", {}).get(name, {}))})
    return complete({"schema": 1, "takenAt": "2026-11-27T04:00:00Z", "accounts": accounts})


def _iam(managed: Json) -> Json:
    version = {"VersionId": "v3", "IsDefaultVersion": True, "Document": managed}
    return {
        "UserDetailList": [],
        "RoleDetailList": [],
        "GroupDetailList": [],
        "Policies": [{"Arn": _READ_ONLY, "PolicyVersionList": [version]}],
    }


def _person(account: str, resource: str, held: Any) -> Json:
    kind, name = resource.split("/", 1)
    more = held if isinstance(held, dict) else {}
    statements = more.get("own", held if isinstance(held, list) else [])
    inline = {"own": {"Version": "2012-10-17", "Statement": statements}} if statements else {}
    inline |= more.get("inline", {})
    entry: Json = {
        "Arn": f"arn:aws:iam::{account}:{resource}",
        f"{kind.title()}Id": f"{'AIDA' if kind == 'user' else 'AROA'}{name.upper()[:8]}",
        f"{kind.title()}PolicyList": [{"PolicyName": one, "PolicyDocument": text} for one, text in inline.items()],
        "AttachedManagedPolicies": [{"PolicyArn": _READ_ONLY}] if held == "reader" else [],
    }
    if kind == "role":
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        entry["AssumeRolePolicyDocument"] = more.get("trust", {"Version": "2012-10-17", "Statement": trust})
    if "tags" in more:
        entry["Tags"] = _tags(more["tags"])
    if "sessions" in more:
        entry["MaxSessionDuration"] = more["sessions"]
    if "boundary" in more:
        entry["PermissionsBoundary"] = {"PermissionsBoundaryArn": more["boundary"]}
    return entry


def _tags(tags: dict[str, str]) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_estate_becomes_this_spec(case: Json) -> None:
    options = case.get("options", ())
    ours = EVERYBODY if "ours" in options else Ours()
    made = imported(snapshot_of(case), ours=ours)
    text = "\n".join(map(_shown, made.text.splitlines()))
    for part in _parts(case.get("has", "")):
        assert part in text, f"{part}\n--- is not in\n{made.text}"
    assert case.get("lacks", "\0") not in made.text
    numbers = Counter(one.effect for one in made.outcomes)
    assert [numbers[effect] for effect in ImportEffect] == case["documents"], made.outcomes
    assert sorted({str(note.kind) for some in made.notes.values() for note in some}) == case.get("notes", [])
    assert list(made.left_out) == case.get("left_out", [])
    if "pull_access" in case:
        assert made.pull_access == PullAccess(**case["pull_access"])
    if "changes" in case:
        assert [line for one in made.outcomes for line in (*one.gained, *one.lost)] == case["changes"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_documents_of_users_and_roles_are_exclusive_once_the_comments_at_them_are_none(case: Json) -> None:
    made = imported(snapshot_of(case), ours=EVERYBODY if "ours" in case.get("options", ()) else Ours())
    assert not any(literal.exclusive for literal in made.loaded.spec.literals)
    text = re.sub(r"^    # (exclusive: true  # .*)$", r"    \1", made.text, flags=re.MULTILINE)
    loaded = load_spec(text.encode(), now=datetime(2026, 11, 27, tzinfo=UTC))
    assert isinstance(loaded, Valid), loaded
    assert len(loaded.spec.literals) == len(made.loaded.spec.literals) == text.count("    exclusive: true  #")
    assert all(literal.exclusive for literal in loaded.spec.literals)


def _parts(lines: str) -> list[str]:
    """The lines without their indentation; a blank line separates parts."""
    return ["\n".join(map(_shown, part.splitlines())) for part in lines.strip().split("\n\n") if part]


def _shown(line: str) -> str:
    """A line without its indentation, in a comment too."""
    return re.sub(r"\A *(#?) *(.*?) *\Z", r"\1\2", line)


def test_the_names_of_cases_are_different() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)
