"""Who can, for whole estates: one question from a file, the whole matrix, and how both scale."""

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bench.figures import Figure
from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.audit.findings import SuccessiveAudits
from ecr_warden.core.desired import CompiledSpec
from iam_access.who_can.decide import Answer, decide
from local.testing.printed import complete
from tests.snapshots import estate_from_text

_GROUP = "who can (processor time, in a process of its own)"
_AWAY, _HOME, _REGION = "111111111111", "222222222222", "eu-central-1"
_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_PUSH = [
    *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload"),
    *("ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"),
]
_TOKEN = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
_SIZES = (100, 1000, 5000)
_TEAMS = 50
_LARGEST_SPEC = 1000  # A spec has at most 1 MiB.


def run() -> Iterator[Figure]:
    """The figures, each with its target."""
    found = {size: _measured(size) for size in _SIZES}
    large = found[1000]
    yield Figure(_GROUP, "one question, 1,000 repositories and users, from the file", large["one"], "s", 1)
    yield Figure(_GROUP, "the same without an index, the file read already", large["instead"], "s")
    yield Figure(_GROUP, "pull and push of each of them", large["matrix"], "s", 10)
    yield Figure(_GROUP, "the audit of all of them against their spec", large["audit"], "s", 10)
    yield Figure(_GROUP, "the audit after an outsider got into twenty of them", large["again"], "s", 2)
    yield Figure(_GROUP, "resident at its peak", large["memory"], "MB", 300)
    for small, many in ((100, 1000), (1000, 5000)):
        grown = found[many]["matrix"] / found[small]["matrix"] / (many / small)
        yield Figure(_GROUP, f"matrix a repository, {many} against {small}", grown, "x")


def _measured(size: int) -> dict[str, float]:
    ran = subprocess.run([sys.executable, "-m", "bench.who_can", str(size)], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def _main(size: int) -> None:
    text = json.dumps(snapshot(size))
    start = time.process_time()
    graph = RepositoryGraph(estate_from_text(text, at=datetime.now(UTC)))
    repositories = list(graph.estate.repositories())
    graph.who_can(graph.permissions("pull", repositories[0]))
    one = time.process_time() - start
    start = time.process_time()
    permissions = graph.permissions("pull", repositories[0])
    sum(decide(subject, permissions).answer is Answer.YES for subject in graph.subjects.values())
    instead = time.process_time() - start
    start = time.process_time()
    for repository in repositories:
        for access in ("pull", "push"):
            graph.who_can(graph.permissions(access, repository))
    matrix = time.process_time() - start
    audit = again = 0.0
    if size <= _LARGEST_SPEC:
        audit, again = _audited(text, spec_of(json.loads(text)), opened=size // _TEAMS)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times = {"one": one, "instead": instead, "matrix": matrix, "audit": audit, "again": again}
    print(json.dumps({**times, "memory": memory}))


def _audited(text: str, compiled: CompiledSpec, opened: int) -> Iterator[float]:
    """An audit of everything, and the next one, after somebody made a role that lets an outsider in.

    `opened`: into how many repositories.
    """
    audits, changed = SuccessiveAudits(), json.loads(text)
    changed["accounts"][_HOME]["iam"]["RoleDetailList"].append(_shadow())
    for estate_text, number in ((text, 0), (json.dumps(complete(changed)), 5 * opened)):
        estate = estate_from_text(estate_text, at=datetime.now(UTC))
        start = time.process_time()
        found = audits.find(estate, compiled, None, None).findings
        assert len(found) == number, found[0]
        yield time.process_time() - start


def _shadow() -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}
    return {
        "Arn": f"arn:aws:iam::{_HOME}:role/shadow",
        "RoleId": "AROASHADOW",
        "AttachedManagedPolicies": [],
        "Tags": [],
        "AssumeRolePolicyDocument": _document(trust),
        "RolePolicyList": [{"PolicyName": "images", "PolicyDocument": _document(_allow("ecr:*", _arn(1, "*")))}],
    }


def snapshot(size: int, principals: int = 0) -> dict[str, Any]:
    """An estate of `size` repositories and users, a third as many roles, and an administrator per hundred users.

    `principals`: about how many there are of all of these, if not as many as follow from the size.
    """
    chance = random.Random(size)
    users = principals * 100 // 131 if principals else size
    roles = max(2, users * 3 // 10)
    given = {
        "schema": 1,
        "takenAt": "2026-11-24T22:00:00Z",
        "accounts": {
            _AWAY: {
                "iam": {"UserDetailList": [_user(number, size, roles, chance) for number in range(users)]},
                "ecr": {},
            },
            _HOME: {
                "iam": {
                    "UserDetailList": [_administrator(number) for number in range(max(1, users // 100))],
                    "RoleDetailList": [_role(number, size, users, roles) for number in range(roles)],
                },
                "ecr": {
                    _REGION: {"repositories": [_repository(number, users, chance) for number in range(size)]},
                },
            },
        },
    }
    return complete(given)


def spec_of(given: dict[str, Any]) -> CompiledSpec:
    """The spec that gives what the repositories' policies and the roles of a snapshot give."""
    # Push roles of repositories whose pullers differ, which only a version that was accepted may have.
    loaded = load_spec(spec_text(given), accepted=True)
    assert isinstance(loaded, Valid), loaded
    return loaded.compiled


def spec_text(given: dict[str, Any]) -> bytes:
    """The text of that spec."""
    home = given["accounts"][_HOME]
    roles = home["iam"]["RoleDetailList"]
    repositories = []
    for number, entry in enumerate(home["ecr"][_REGION]["repositories"]):
        role = roles[number % len(roles)]
        push: dict[str, Any] | str = f"r{number % len(roles)}"
        if number < len(roles):
            push = {"role": push, "by": _named(role["AssumeRolePolicyDocument"])}
        name, pull = entry["repositoryName"], _named(entry["policy"])
        repositories.append({"name": name, "account": "home", "pull": pull, "push": [push]})
    accounts = {"away": {"id": _AWAY}, "home": {"id": _HOME, "regions": [_REGION]}}
    return json.dumps({"version": 1, "accounts": accounts, "repositories": repositories}).encode()


def _named(document: dict[str, Any]) -> list[str]:
    """The users that a policy names, as a spec writes them."""
    return sorted({f"away:user/{arn.rpartition('/')[2]}" for arn in document["Statement"][0]["Principal"]["AWS"]})


def _allow(action: str | list[str], on: str | list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": on}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _arn(team: object, number: object) -> str:
    return f"arn:aws:ecr:{_REGION}:{_HOME}:repository/team{team}/app{number}"


def _repository(number: int, users: int, chance: random.Random) -> dict[str, Any]:
    pullers = [f"arn:aws:iam::{_AWAY}:user/u{chance.randrange(users)}" for _ in range(4)]
    policy = _document({"Effect": "Allow", "Principal": {"AWS": pullers}, "Action": _PULL})
    return {"repositoryName": f"team{number % _TEAMS}/app{number}", "policy": policy}


def _user(number: int, size: int, roles: int, chance: random.Random) -> dict[str, Any]:
    pulled = [_arn(other % _TEAMS, other) for other in (chance.randrange(size) for _ in range(3))]
    own = _document(
        _allow(_PULL, [*pulled, _arn(chance.randrange(_TEAMS), "*")]),
        _TOKEN,
        _allow("sts:AssumeRole", f"arn:aws:iam::{_HOME}:role/ecr-warden/r{number % roles}"),
    )
    policies = [{"PolicyName": "own", "PolicyDocument": own}]
    return {"Arn": f"arn:aws:iam::{_AWAY}:user/u{number}", "UserId": f"AIDA{number}", "UserPolicyList": policies}


def _administrator(number: int) -> dict[str, Any]:
    policies = [{"PolicyName": "all", "PolicyDocument": _document(_allow("*", "*"))}]
    return {"Arn": f"arn:aws:iam::{_HOME}:user/a{number}", "UserId": f"AIDAA{number}", "UserPolicyList": policies}


def _role(number: int, size: int, users: int, roles: int) -> dict[str, Any]:
    pushed = [_arn(other % _TEAMS, other) for other in range(number, size, roles)]
    trusted = [f"arn:aws:iam::{_AWAY}:user/u{other}" for other in range(number, users, roles)]
    trust = _document({"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"})
    policies = [{"PolicyName": "push", "PolicyDocument": _document(_allow(_PUSH, pushed), _TOKEN)}]
    return {
        "Arn": f"arn:aws:iam::{_HOME}:role/ecr-warden/r{number}",
        "RoleId": f"AROA{number}",
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": policies,
    }


if __name__ == "__main__":
    _main(int(sys.argv[1]))
