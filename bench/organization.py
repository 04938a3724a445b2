"""Accounts of real size: one survey, and the audit's reading of sixty accounts with 25 policies of AWS's each.

`python -m bench.organization survey|instead|load` measures one of these in a process of its own and prints its figures.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import botocore.session

from bench.figures import Figure
from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.audit.audit import stored_estate
from ecr_warden.aws.accounts import SessionClients
from ecr_warden.aws.bucket import StateBucket
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.aws_estate_store import S3EstateStore
from ecr_warden.collect.estate import Piece
from ecr_warden.collect.survey import Survey
from ecr_warden.core.estate import Estate
from ecr_warden.core.job import Cause, CauseKind, SurveyIdentities
from local.aws.behaviour.of_aws import PUBLISHED
from local.aws.launcher import ROOT, EmulatedAws
from local.testing.memory.hub import ManualClock, MemoryJobs, MemorySpecs

_GROUP = "organization of 60 accounts with 25 policies of AWS, 100 roles and 40 own policies each"
_HUB, _MEMBER, _REGION, _BUCKET = "111111111111", "222222222222", "eu-central-1", "bench-state"
_ACCOUNTS, _OF_AWS, _ROLES, _OWN, _VERSIONS = 60, 25, 100, 40, 4
_RESOURCE = f"arn:aws:dynamodb:{_REGION}:{_MEMBER}:table/*"
_MEGABYTE = 1024 * 1024


def run() -> Iterator[Figure]:
    """The figures, each with its target."""
    with EmulatedAws() as aws:
        aws.client(_HUB, "s3").create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": _REGION})
        _create(aws.client(_MEMBER, "iam"))
        first, again, instead = (_measured(aws, what) for what in ("survey", "survey", "instead"))
        _multiply(S3EstateStore(_bucket(aws.client(_HUB, "s3"))))
        load = _measured(aws, "load")
    yield Figure(_GROUP, "survey of one account: peak", first["memory"], "MB", 250)
    yield Figure(_GROUP, "survey of one account: processor time", first["cpu"], "s", 2)
    yield Figure(_GROUP, "the next, which knows the texts: processor time", again["cpu"], "s", 2)
    yield Figure(_GROUP, "calls of the first", first["calls"], "calls", _OF_AWS + 4)
    yield Figure(_GROUP, "calls of the next", again["calls"], "calls", 4)
    yield Figure(_GROUP, "bytes that the first has to read", first["bytes"] / _MEGABYTE, "MB")
    name = "get-account-authorization-details as it is"
    yield Figure(_GROUP, f"instead, {name}: peak", instead["memory"], "MB")
    yield Figure(_GROUP, f"instead, {name}: processor time", instead["cpu"], "s")
    yield Figure(_GROUP, f"instead, {name}: bytes", instead["bytes"] / _MEGABYTE, "MB")
    yield Figure(_GROUP, "the audit reads all accounts: peak", load["memory"], "MB", 250)
    yield Figure(_GROUP, "the audit reads all accounts: processor time an account", load["cpu"] / _ACCOUNTS, "s", 2)
    yield Figure(_GROUP, "what it has to read of them, as JSON", load["bytes"] / _MEGABYTE, "MB")
    yield Figure(_GROUP, "documents in them", load["documents"], "")
    yield Figure(_GROUP, "documents that it parses", load["parsed"], "")


def _create(iam: Any) -> None:
    """The roles, with AWS's largest policies on some and one of the account's own on others."""
    arns = sorted(PUBLISHED, key=lambda arn: -PUBLISHED[arn].versions * PUBLISHED[arn].characters)[:_OF_AWS]
    trust = _document("sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})
    own = [_own(iam, number) for number in range(_OWN)]
    for number in range(_ROLES):
        name = f"role-{number}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        actions = [f"service{number}:Do{index}" for index in range(30)]
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(actions, Resource=_RESOURCE))
        iam.attach_role_policy(RoleName=name, PolicyArn=own[number % _OWN])
        iam.attach_role_policy(RoleName=name, PolicyArn=arns[number % _OF_AWS])


def _own(iam: Any, number: int) -> str:
    texts = [
        _document([f"team{number}:Do{version}-{index}" for index in range(40)], Resource=_RESOURCE)
        for version in range(_VERSIONS)
    ]
    arn = str(iam.create_policy(PolicyName=f"own-{number}", PolicyDocument=texts[0])["Policy"]["Arn"])
    for text in texts[1:]:
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
    return arn


def _document(action: str | list[str], **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})


def _multiply(store: S3EstateStore) -> None:
    """Keep the account that was surveyed as sixty accounts; their ARNs differ, AWS's policies do not."""
    piece = store.get(_MEMBER)
    assert piece is not None
    text = json.dumps(piece.entry)
    for account in _accounts():
        store.put(Piece(account, piece.began, json.loads(text.replace(_MEMBER, account))))


def _accounts() -> list[str]:
    return [f"{number:012}" for number in range(300_000_000_000, 300_000_000_000 + _ACCOUNTS)]


def _bucket(s3: Any) -> StateBucket:
    return StateBucket(s3, _BUCKET, _HUB)


def _measured(aws: EmulatedAws, what: str) -> dict[str, float]:
    environment = {**aws.environment(_HUB, _REGION), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bench.organization", what]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


# In processes of their own


class _Wire:
    """A session in the member account that counts calls and bytes."""

    def __init__(self) -> None:
        self._session = botocore.session.Session()
        self._session.register("after-call", self._count)
        self.calls, self.bytes = 0, 0

    def client(self, service: str, **more: Any) -> Any:
        keys = {"aws_access_key_id": _MEMBER, "aws_secret_access_key": "test"}
        return self._session.create_client(service, **{**more, **keys})

    def _count(self, **answer: Any) -> None:
        self.calls += 1
        self.bytes += len(answer["http_response"].content)

    def reader(self, account: str) -> SessionClients:
        assert account == _MEMBER
        return SessionClients(self)

    def writer(self, account: str, run_id: str, session_policy: str) -> SessionClients:
        raise AssertionError((account, run_id, session_policy))


def _survey() -> dict[str, float]:
    accounts = {"only": {"id": _MEMBER, "regions": [_REGION]}}
    spec = load_spec(json.dumps({"version": 1, "accounts": accounts, "repositories": []}).encode())
    assert isinstance(spec, Valid), spec
    wire, clock = _Wire(), ManualClock(datetime.now(UTC))
    store = S3EstateStore(_bucket(boto3.client("s3")))
    survey = Survey(MemorySpecs(compiled=spec.compiled), AwsEstateReader(wire), store, MemoryJobs(), clock)
    cpu = _timed(lambda: survey.take(SurveyIdentities(Cause(CauseKind.SWEEP, "bench"), _MEMBER)))
    return {"cpu": cpu, "calls": wire.calls, "bytes": wire.bytes}


def _instead() -> dict[str, float]:
    """What comes to mind first, and other tools do: all pages, as they come."""
    wire = _Wire()
    iam = wire.client("iam", region_name="us-east-1")
    pages = iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 1000})
    cpu = _timed(lambda: list(pages))
    return {"cpu": cpu, "bytes": wire.bytes}


def _load() -> dict[str, float]:
    store = S3EstateStore(_bucket(boto3.client("s3")))
    parts = _accounts()
    found: list[tuple[Estate, Sequence[object], object]] = []
    cpu = _timed(lambda: found.append(stored_estate(store, parts, datetime.now(UTC))))
    [(estate, broken, _)] = found
    assert not broken, broken
    memory = _peak()
    documents = [policy.document for account in estate.accounts.values() for policy in account.policies()]
    size = sum(len(json.dumps(piece.entry)) for part in parts if (piece := store.get(part)))
    parsed = len({id(one) for one in documents})
    return {"cpu": cpu, "memory": memory, "bytes": size, "documents": len(documents), "parsed": parsed}


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _peak() -> float:
    # Not getrusage: a child's peak begins with that of the process that forked it.
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


_WORK: Mapping[str, Callable[[], dict[str, float]]] = {"survey": _survey, "instead": _instead, "load": _load}

if __name__ == "__main__":
    made = _WORK[sys.argv[1]]()
    print(json.dumps({"memory": _peak()} | made))
