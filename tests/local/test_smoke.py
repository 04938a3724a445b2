"""`make aws-smoke`, run against the embedded AWS: that the test works, and leaves nothing. Of AWS it proves nothing."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.aws.faults import Fail, Fault
from local.aws.launcher import ROOT, EmulatedAws

pytestmark = pytest.mark.thorough

CI, REGISTRY, REGION = "333333333331", "333333333332", "eu-central-1"


def smoke(aws: EmulatedAws, home: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    """A run as somebody at a terminal starts it, with two profiles."""
    config = home / "credentials"
    config.write_text(
        "".join(
            f"[{name}]\naws_access_key_id = {account}\naws_secret_access_key = test\n"
            for name, account in (("ci", CI), ("registry", REGISTRY))
        )
    )
    given = {
        "ci-profile": "ci",
        "ci-account": CI,
        "registry-profile": "registry",
        "registry-account": REGISTRY,
        "region": REGION,
    }
    arguments = [f"--{name}={value}" for name, value in (given | changed).items()]
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_SHARED_CREDENTIALS_FILE": str(config),
        "AWS_CONFIG_FILE": os.devnull,
        "PYTHONPATH": os.pathsep.join(str(ROOT / "layers" / name) for name in ("access", "warden")),
    }
    command = [sys.executable, "-m", "local.smoke", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def left(aws: EmulatedAws) -> list[str]:
    """Every repository, user and role of the two accounts."""
    users = aws.client(CI, "iam").list_users()["Users"] + aws.client(REGISTRY, "iam").list_users()["Users"]
    roles = aws.client(CI, "iam").list_roles()["Roles"] + aws.client(REGISTRY, "iam").list_roles()["Roles"]
    found = aws.client(REGISTRY, "ecr", REGION).describe_repositories()["repositories"]
    functions = aws.client(CI, "lambda", REGION).list_functions()["Functions"]
    return sorted(
        [user["UserName"] for user in users]
        + [role["RoleName"] for role in roles]
        + [one["repositoryName"] for one in found]
        + [one["FunctionName"] for one in functions]
    )


def test_the_loop_runs_every_question_is_asked_and_nothing_remains(aws: EmulatedAws, tmp_path: Path) -> None:
    bystander: Any = aws.client(REGISTRY, "ecr", REGION)
    bystander.create_repository(repositoryName="somebody/else")
    mark = aws.mark()
    done = smoke(aws, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("This is NOT AWS")
    for words in (
        "from nothing to the spec",
        "at rest: what AWS made",
        "the sweep found every change",
        "at rest again",
    ):
        assert any(line.startswith(words) for line in lines), words
    assert sum(line.startswith("[") for line in lines) == 18
    assert not [line for line in lines if "OTHERWISE" in line]
    # The embedded Lambda pulls without asking the repository's policy; the control run finds that out.
    [unsettled] = [line for line in lines if "NOT SETTLED" in line]
    assert "aws:SourceAccount" in unsettled
    assert unsettled.endswith("nobody asks the policy")
    assert lines[-2:] == [
        "the loop works; 17 of 18 questions would be settled, 0 otherwise than assumed",
        "everything that was made is removed",
    ]
    assert left(aws) == ["somebody/else"]
    writes = [call for call in aws.calls(mark) if call.write and call.service in ("ecr", "iam", "lambda")]
    names = {
        str(value)
        for call in writes
        for key, value in call.parameters.items()
        if key in ("repositoryName", "UserName", "RoleName", "FunctionName")
    }
    assert names
    assert all(name.startswith("ecrw-smoke-") for name in names), names
    bystander.delete_repository(repositoryName="somebody/else")


@pytest.mark.parametrize(
    ("service", "action", "nth"),
    [
        ("ecr", "SetRepositoryPolicy", 1),
        ("iam", "CreateRole", 1),
        ("ecr", "CreateRepository", 2),
        ("iam", "GetRole", 3),
    ],
)
def test_a_run_that_fails_says_so_and_leaves_nothing(
    aws: EmulatedAws, tmp_path: Path, service: str, action: str, nth: int
) -> None:
    fault = Fault(service, action, Fail("AccessDenied", "not authorized to perform it", 403), nth=nth, times=50)
    aws.add_fault(fault)
    done = smoke(aws, tmp_path)
    [state] = aws.faults()
    aws.clear_faults()
    assert state.reached
    assert done.returncode == 1, done.stdout
    assert "FAILED: " in done.stdout
    assert done.stdout.endswith("everything that was made is removed\n")
    assert left(aws) == []


def test_a_function_that_could_not_be_removed_at_once_is_removed_at_the_end(aws: EmulatedAws, tmp_path: Path) -> None:
    denied = Fail("AccessDeniedException", "no", 403)
    aws.add_fault(Fault("lambda", "DeleteFunction", denied, times=1))
    done = smoke(aws, tmp_path)
    [state] = aws.faults()
    aws.clear_faults()
    assert state.reached
    assert "NOT SETTLED: AccessDeniedException: no" in done.stdout
    assert done.stdout.endswith("everything that was made is removed\n")
    assert left(aws) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ci-account": REGISTRY}, f"the profile ci is of account {CI}, and you named {REGISTRY}"),
        ({"registry-account": "1"}, f"the profile registry is of account {REGISTRY}, and you named 1"),
        ({"registry-profile": "ci", "registry-account": CI}, "two accounts are needed"),
        ({"ci-profile": "nobody"}, "nobody"),
    ],
)
def test_without_the_right_account_ids_nothing_is_made(
    aws: EmulatedAws, tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    mark = aws.mark()
    done = smoke(aws, tmp_path, **changed)
    assert done.returncode == 1
    assert words in done.stdout
    assert {call.action for call in aws.calls(mark)} <= {"GetCallerIdentity"}
