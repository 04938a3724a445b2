"""The script to write instead: read a repository's policy, compare it with a file, write it if it differs.

`python plain.py ROLE_ARN REPOSITORY FILE`. No journal, no check that nobody wrote in between, no report.
"""

import json
import sys
from pathlib import Path

import boto3


def main(role: str, repository: str, file: str) -> None:
    """Make one repository's policy equal to the file; prints whether it wrote."""
    given = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="plain")["Credentials"]
    ecr = boto3.client(
        "ecr",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    wanted = Path(file).read_text()
    try:
        live = ecr.get_repository_policy(repositoryName=repository)["policyText"]
    except ecr.exceptions.RepositoryPolicyNotFoundException:
        live = "null"
    if json.loads(live) != json.loads(wanted):
        ecr.set_repository_policy(repositoryName=repository, policyText=wanted)
        print("written")
    else:
        print("equal")


if __name__ == "__main__":
    main(*sys.argv[1:])
