"""iam_access by itself, where nothing else of ours is, used by a program that knows nothing of ECR."""

import json
import subprocess
from pathlib import Path

import pytest

from local.aws.deploy import built_release
from local.testing.wheels import built_wheels, install

PROGRAM = """
import json, sys
from datetime import UTC, datetime
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import parse_document
from iam_access.document.kind import DocumentKind
from iam_access.inventory.accounts import AccountReader, Parsed, account_of
from iam_access.inventory.inventory import Inventory
from iam_access.who_can.decide import Permission
from iam_access.who_can.graph import AccessPath, Graph
from iam_access.who_can.resources import resource_with

allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::papers/*"}
accounts = {name: account_of(AccountReader(name, one, Parsed())) for name, one in json.load(sys.stdin).items()}
inventory = Inventory(datetime(2026, 11, 29, tzinfo=UTC), accounts)
graph = Graph(inventory)
papers = resource_with("arn:aws:s3:::papers/one", inventory.accounts["111111111111"], ())
found = graph.who_can((Permission("s3:GetObject", papers),))
one, other = (parse_document({"Statement": [{**allow, **more}]}) for more in ({"Action": "s3:*"}, {}))
differs = isinstance(relate(one, other, kind=DocumentKind.IDENTITY), Differs)
print(sorted((arn, str(path.answer), len(path.steps)) for arn, path in found.items()), differs)
print(sorted(name for name in sys.modules if name.startswith(("boto", "ecr_warden", "aws_lambda", "yaml"))))
"""
READS = json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::papers/*"}})
ASSUMES = json.dumps(
    {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::111111111111:role/reader"}}
)
TRUST = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}}
ACCOUNTS = {
    "111111111111": {
        "iam": {
            "UserDetailList": [
                {
                    "Arn": "arn:aws:iam::111111111111:user/ann",
                    "UserName": "ann",
                    "UserId": "AIDAANN",
                    "UserPolicyList": [{"PolicyName": "assume", "PolicyDocument": ASSUMES}],
                    "GroupList": [],
                    "AttachedManagedPolicies": [],
                    "Tags": [],
                },
                {
                    "Arn": "arn:aws:iam::111111111111:user/bob",
                    "UserName": "bob",
                    "UserId": "AIDABOB",
                    "GroupList": [],
                    "AttachedManagedPolicies": [],
                    "Tags": [],
                },
            ],
            "GroupDetailList": [],
            "RoleDetailList": [
                {
                    "Arn": "arn:aws:iam::111111111111:role/reader",
                    "RoleName": "reader",
                    "RoleId": "AROAREADER",
                    "AssumeRolePolicyDocument": TRUST,
                    "RolePolicyList": [{"PolicyName": "read", "PolicyDocument": READS}],
                    "AttachedManagedPolicies": [],
                    "Tags": [],
                }
            ],
            "Policies": [],
        }
    }
}


@pytest.mark.thorough
def test_a_program_that_knows_nothing_of_ecr_asks_who_can(tmp_path: Path) -> None:
    _, library = built_wheels(built_release(tmp_path / "release"), tmp_path / "wheels")
    folder = tmp_path / "environment"
    install([library], folder)
    python = str(folder / "bin" / "python")
    ran = subprocess.run(
        [python, "-c", PROGRAM], input=json.dumps(ACCOUNTS), capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "[('arn:aws:iam::111111111111:role/reader', 'yes', 1), ('arn:aws:iam::111111111111:user/ann', 'yes', 2)] True",
        "[]",
    ]
