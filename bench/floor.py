"""The least that detection costs: the plainest threaded boto3 script that makes the same reads and compares nothing.

`python floor.py HUB_ACCOUNT MEMBER_ACCOUNT REGION EXTERNAL_ID`; prints `{"wall", "cpu", "read"}` of the work behind
the imports. Frozen: it is what our own figures are divided by.
"""

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

THREADS = 16
CONFIG = Config(max_pool_connections=THREADS)


def main(hub: str, member: str, region: str, external_id: str) -> int:
    """Read every policy document of two accounts."""
    session: Any = boto3.Session()
    sts = session.client("sts", region_name=region, config=CONFIG)
    read = 0
    for account in (hub, member):
        given = sts.assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/ecr-warden/ecr-warden-read",
            RoleSessionName="floor",
            ExternalId=external_id,
        )["Credentials"]
        keys = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
        iam = session.client("iam", region_name="us-east-1", config=CONFIG, **keys)
        if account == member:
            ecr = session.client("ecr", region_name=region, config=CONFIG, **keys)
            with ThreadPoolExecutor(THREADS) as pool:
                policies = repository_policies(ecr, pool)
                read += account_documents(iam)
                read += sum(1 for _ in policies)
        else:
            read += account_documents(iam)
    return read


def repository_policies(ecr: Any, pool: ThreadPoolExecutor) -> Iterator[Any]:
    """The policies of an account's repositories, all asked for at once."""
    pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1000})
    names = [one["repositoryName"] for page in pages for one in page["repositories"]]
    return pool.map(lambda name: json.loads(ecr.get_repository_policy(repositoryName=name)["policyText"]), names)


def account_documents(iam: Any) -> int:
    """The documents of an account's users and roles; boto3 decodes them."""
    sum(1 for page in iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1000}) for _ in page)
    read = 0
    pages = iam.get_paginator("get_account_authorization_details").paginate(
        Filter=["User", "Role"], PaginationConfig={"PageSize": 1000}
    )
    for page in pages:
        read += sum(len(user.get("UserPolicyList", ())) for user in page["UserDetailList"])
        read += sum(1 + len(role.get("RolePolicyList", ())) for role in page["RoleDetailList"])
    return read


if __name__ == "__main__":
    began, computed = time.perf_counter(), time.process_time()
    found = main(*sys.argv[1:])
    figures = {"wall": time.perf_counter() - began, "cpu": time.process_time() - computed, "read": found}
    print(json.dumps(figures))
