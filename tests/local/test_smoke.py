"""`make aws-smoke`, run against the embedded AWS: that the test works, and leaves nothing. Of AWS it proves nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws.faults import Fail, Fault
from local.aws.launcher import ROOT, EmulatedAws
from local.smoke.answers import NOT_ASKED, PROBES, answers_in, write_answers
from local.smoke.probes import Answer, Asked

pytestmark = pytest.mark.thorough

CI, REGISTRY, REGION = "333333333331", "333333333332", "eu-central-1"

UNLIKE_AWS = {
    "does Lambda send aws:SourceAccount when it pulls an image? NOT SETTLED: a function is made whatever account "
    "aws:SourceAccount names: nobody asks the policy",
    "does PutTargets take a role that does not exist? OTHERWISE: accepted, not refused; AWS: ",
    "does a scheduled rule reach a bus of another account? NOT SETTLED: a scheduled event did not come within 20 s",
    "does BatchGetImage arrive by a plain rule? OTHERWISE: it does not arrive, not it arrives; AWS: ",
    "does LookupEvents find a repository by its ARN? NOT SETTLED: an event of the repository did not come within 10 s",
    "does a cut-off end a docker login that was made before it? NOT SETTLED: the embedded AWS has no registry to pull "
    "from",
    "does CreateBearerToken log in without ecr:GetAuthorizationToken? NOT SETTLED: 400: ",
    "does a cut-off end scoped credentials made before it? NOT SETTLED: InvalidAction: Unknown STS action: "
    "GetScopedCredentials",
    "which aws:TokenIssueTime have scoped credentials? NOT SETTLED: InvalidAction: Unknown STS action: "
    "GetScopedCredentials",
}


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
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)


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


@pytest.fixture
def bystander(aws: EmulatedAws) -> Iterator[str]:
    """A repository that is none of the test's."""
    ecr: Any = aws.client(REGISTRY, "ecr", REGION)
    ecr.create_repository(repositoryName="somebody/else")
    yield "somebody/else"
    ecr.delete_repository(repositoryName="somebody/else")


def test_the_loop_runs_every_question_is_asked_and_nothing_remains(
    aws: EmulatedAws, tmp_path: Path, bystander: str
) -> None:
    mark, page = aws.mark(), (ROOT / "docs" / "supported.md").read_text()
    done = smoke(aws, tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("This is NOT AWS")
    for words in (
        "from nothing to the spec",
        "at rest: what AWS made",
        "the sweep found every change",
        "at rest again",
    ):
        assert any(line.startswith(words) for line in lines), words
    answers = {line.partition("] ")[2] for line in lines if line.startswith("[")}
    assert len(answers) == len(PROBES)
    assert {one for one in answers if "as assumed" not in one} == UNLIKE_AWS
    assert lines[-2:] == [
        f"the loop works; {len(PROBES) - 7} of {len(PROBES)} questions would be settled, 2 otherwise than assumed",
        "everything that was made is removed",
    ]
    assert (ROOT / "docs" / "supported.md").read_text() == page, "the embedded AWS answers nothing for the page"
    assert left(aws) == [bystander]
    writes = [call for call in aws.calls(mark) if call.write and call.service in ("ecr", "iam", "lambda")]
    names = {
        str(value)
        for call in writes
        for key, value in call.parameters.items()
        if key in ("repositoryName", "UserName", "RoleName", "FunctionName")
    }
    assert names
    assert all(name.startswith("ecrw-smoke-") for name in names), names


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


def test_the_page_has_every_question_once_and_keeps_what_was_not_settled(tmp_path: Path) -> None:
    page = tmp_path / "supported.md"
    page.write_text((ROOT / "docs" / "supported.md").read_text())
    first, second = PROBES[0], PROBES[1]
    write_answers([Asked(first, Answer("as sent")), Asked(second, None, "no time")], page)
    answers = answers_in(page.read_text())
    assert list(answers) == [one.question for one in PROBES]
    assert answers[first.question].startswith("as sent (20")
    assert answers[second.question] == NOT_ASKED
    write_answers([Asked(first, None, "no time")], page)
    assert answers_in(page.read_text()) == answers
