"""The number of API calls per event: to member accounts, and to our own table, buckets, queues and bus."""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.figures import Figure
from local.aws.calls import Call
from local.aws.launcher import ROOT
from local.testing.installed import HUB, MEMBER, PUSH_ROLE, REGION, REPOSITORY, Installed
from local.testing.messages import batch, reconcile
from local.testing.runtime_api import INTERPRETER, BuiltFunction

D1 = f"repository/{MEMBER}/{REGION}/{REPOSITORY}"
ROLE = f"role/{MEMBER}/{PUSH_ROLE}"
USER = f"user/{HUB}/push-user"
_MEMBER_SERVICES = {"ecr", "iam", "sts"}
_CALLS = "API calls of one event: to member accounts (our own beside them)"
_PLAIN_ROLE = "plain-sync"
_SCRIPT_RUNS = 5


def member_calls(calls: tuple[Call, ...]) -> list[str]:
    """The actions on member accounts, in order, including AssumeRole."""
    return [call.action for call in calls if call.service in _MEMBER_SERVICES and _ours(call)]


def own_calls(calls: tuple[Call, ...]) -> list[str]:
    """The actions on the hub's own table, buckets, queues, switch and bus."""
    return [call.action for call in calls if call.service not in _MEMBER_SERVICES and _ours(call)]


def _ours(call: Call) -> bool:
    return any(f"assumed-role/{role}/" in call.principal for role in _ROLES)


_ROLES = ("ecr-warden-reconcile", "ecr-warden-read", "ecr-warden-write", _PLAIN_ROLE)


def count(installed: Installed) -> Iterator[Figure]:
    """The figures of all kinds of event. Everything has to be in sync before, and is in sync afterwards."""
    aws = installed.aws
    ecr, iam = aws.client(MEMBER, "ecr"), aws.client(MEMBER, "iam")
    inline = len(iam.list_role_policies(RoleName=PUSH_ROLE)["PolicyNames"])
    with installed.function("reconcile") as function:

        def one(target: str, name: str, most: float | None) -> Figure:
            calls = _of(installed, function, target)
            return Figure(_CALLS, name, len(member_calls(calls)), "calls", most, f"(own: {len(own_calls(calls))})")

        yield one(D1, "repository policy, no drift, cold (AssumeRole, read)", 2)
        yield one(D1, "repository policy, no drift, warm (read)", 1)
        ecr.delete_repository_policy(repositoryName=REPOSITORY)
        yield one(D1, "repository policy, drift, warm (read, AssumeRole, read, write, read)", 5)
        yield one(ROLE, f"push role with {inline} inline policies, no drift, warm", 3 + inline)
        iam.delete_role_policy(
            RoleName=PUSH_ROLE, PolicyName=iam.list_role_policies(RoleName=PUSH_ROLE)["PolicyNames"][0]
        )
        yield one(ROLE, "push role, an inline policy deleted, warm", None)
        _of(installed, function, USER)
        yield one(USER, "user with 1 inline policy, no drift, warm", None)


def _of(installed: Installed, function: BuiltFunction, target: str) -> tuple[Call, ...]:
    mark = installed.aws.mark()
    answer = function.invoke(batch(reconcile(target)))
    assert answer.value == {"batchItemFailures": []}, answer
    return installed.aws.calls(mark)


def plain(installed: Installed) -> Iterator[Figure]:
    """The plain script on the same repository: calls, time, and whether it ever stops writing."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _plain(installed, Path(folder) / "policy.json")


def _plain(installed: Installed, file: Path) -> Iterator[Figure]:
    aws = installed.aws
    ecr, iam = aws.client(MEMBER, "ecr"), aws.client(MEMBER, "iam")
    text = ecr.get_repository_policy(repositoryName=REPOSITORY)["policyText"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "sts:AssumeRole"}
    rights = {"Effect": "Allow", "Action": ["ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy"], "Resource": "*"}
    role = iam.create_role(RoleName=_PLAIN_ROLE, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=_PLAIN_ROLE, PolicyName="sync", PolicyDocument=_policy(rights))
    files = {"as AWS gave it": text, "principals in another order": _reversed(text)}
    for how, wanted in files.items():
        file.write_text(wanted)
        group = f"Instead: a plain boto3 script a repository, the file's text {how}"
        ecr.delete_repository_policy(repositoryName=REPOSITORY)
        for name in ("drift", "no drift"):
            mark = aws.mark()
            seconds, said = _script(installed, [role, REPOSITORY, str(file)])
            calls = [call for call in aws.calls(mark) if call.service in _MEMBER_SERVICES]
            yield Figure(group, f"{name}: calls", len(calls), "calls", None, f"({said})")
        times = [seconds, *(_script(installed, [role, REPOSITORY, str(file)])[0] for _ in range(_SCRIPT_RUNS - 1))]
        yield Figure(group, f"process start to end, median of {_SCRIPT_RUNS}", statistics.median(times) * 1000, "ms")
    ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=text)


def _script(installed: Installed, arguments: list[str]) -> tuple[float, str]:
    environment = {**installed.aws.environment(HUB), "PATH": os.environ["PATH"]}
    began = time.perf_counter()
    done = subprocess.run(
        [str(INTERPRETER), str(ROOT / "bench" / "plain.py"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - began, done.stdout.strip()


def _policy(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _reversed(text: str) -> str:
    document = json.loads(text)
    for statement in document["Statement"]:
        names = statement["Principal"]["AWS"]
        statement["Principal"] = {"AWS": names[::-1] if isinstance(names, list) else names}
    return json.dumps(document)
