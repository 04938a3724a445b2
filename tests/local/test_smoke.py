"""`make aws-smoke`, run against the embedded AWS: that the test works, and leaves nothing. Of AWS it proves nothing."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws.deploy import built_release
from local.aws.faults import Fail, Fault
from local.aws.launcher import ROOT, EmulatedAws
from local.smoke.answers import NOT_ASKED, PAGE, PROBES, answers_in, write_answers
from local.smoke.probes import Answer, Asked
from local.testing.waiting import until

pytestmark = pytest.mark.thorough

CI, REGISTRY, REGION = "333333333331", "333333333332", "eu-central-1"

_TAKEN = "the code and the embedded AWS take something else for granted: report the line"
UNLIKE_AWS = {
    "does Lambda send aws:SourceAccount when it pulls an image? NOT SETTLED: a function is made whatever account "
    "aws:SourceAccount names: nobody asks the policy",
    f"does PutTargets take a role that does not exist? OTHERWISE: accepted, not refused: {_TAKEN}; AWS: ",
    "does a scheduled rule reach a bus of another account? NOT SETTLED: a scheduled event did not come within 20 s",
    f"does BatchGetImage arrive by a plain rule? OTHERWISE: it does not arrive, not it arrives: {_TAKEN}; AWS: ",
    "does LookupEvents find a repository by its ARN? NOT SETTLED: an event of the repository did not come within 10 s",
    "does a cut-off end a docker login that was made before it? NOT SETTLED: the embedded AWS has no registry to pull "
    "from",
    "does CreateBearerToken log in without ecr:GetAuthorizationToken? NOT SETTLED: 400: ",
    "does a cut-off end scoped credentials made before it? NOT SETTLED: InvalidAction: Unknown STS action: "
    "GetScopedCredentials",
    "which aws:TokenIssueTime have scoped credentials? NOT SETTLED: InvalidAction: Unknown STS action: "
    "GetScopedCredentials",
    "does DescribeImages list an archived image? NOT SETTLED: InvalidAction: Unknown action: UpdateImageStorageClass",
    "does the line of a finished sweep become a metric? OTHERWISE: no metric, not a metric: the alarm "
    "ecr-warden-no-sweep fires although sweeps finish; AWS: a metric did not come within 10 s",
    "may a member read a trail of its organization? NOT SETTLED: the registry's account has no trail of an "
    "organization",
    "does an event reach a bus that takes those of an organization? NOT SETTLED: the two accounts are of different "
    "organizations",
}


def smoke(aws: EmulatedAws, home: Path, *words: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """A run as somebody at a terminal starts it, with two profiles; of single calls alone, unless `words` say more."""
    with begun(aws, home, *(words or LOOP), **changed) as process:
        out, err = process.communicate(timeout=600)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def begun(aws: EmulatedAws, home: Path, *words: str, **changed: str) -> subprocess.Popen[str]:
    """A run that has just been started."""
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
        "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("layers/access", "layers/warden", "cli")),
        "ECR_WARDEN_RELEASE": str(built_release(home / "release")) if words != LOOP else "",
    }
    command = [sys.executable, "-m", "local.smoke", *arguments, *words]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, cwd=ROOT, **pipes)


LOOP, DEPLOYMENT = ("--part", "loop"), ("--part", "deployment")
LISTS = (
    ("iam", "list_users", "Users", "UserName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("ecr", "describe_repositories", "repositories", "repositoryName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("sqs", "list_queues", "QueueUrls", ""),
    ("dynamodb", "list_tables", "TableNames", ""),
    ("events", "list_rules", "Rules", "Name"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("ssm", "describe_parameters", "Parameters", "Name"),
    ("cloudformation", "list_stacks", "StackSummaries", "StackName"),
)


def left(aws: EmulatedAws) -> list[str]:
    """What is in the two accounts."""
    found = list[str]()
    for account in (CI, REGISTRY):
        for policy in aws.client(account, "iam").list_policies(Scope="Local")["Policies"]:
            found.append(policy["PolicyName"])
        for bus in aws.client(account, "events", REGION).list_event_buses()["EventBuses"]:
            found += [bus["Name"]] if bus["Name"] != "default" else []
        for service, call, field, name in LISTS:
            for region in (REGION, "us-east-1"):
                for one in getattr(aws.client(account, service, region), call)().get(field, ()):
                    if not name or one.get("StackStatus") != "DELETE_COMPLETE":
                        found.append(one[name] if name else one)
    return sorted(set(found))


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
    mark, page = aws.mark(), PAGE.read_text()
    written = tmp_path / "answers.json"
    done = smoke(aws, tmp_path, *LOOP, *DEPLOYMENT, json=str(written))
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
        f"it works; {len(PROBES) - 10} of {len(PROBES)} questions would be settled, 3 otherwise than assumed",
        "everything that was made is removed",
    ]
    assert PAGE.read_text() == page, "the embedded AWS answers nothing for the page"
    assert left(aws) == [bystander]
    answers_kept = json.loads(written.read_text())
    assert (answers_kept["emulated"], answers_kept["failed"], answers_kept["kept"]) == (True, None, [])
    assert [one["question"] for one in answers_kept["questions"]] == [one.question for one in PROBES]
    assert {one["means"] for one in answers_kept["questions"] if one["asAssumed"]} == {
        "ecr-warden does as it is: nothing is to be changed"
    }
    writes = [call for call in aws.calls(mark) if call.write and call.service in ("ecr", "iam", "lambda")]
    names = {
        str(value)
        for call in writes
        for key, value in call.parameters.items()
        if key in ("repositoryName", "UserName", "RoleName", "FunctionName")
    }
    assert names
    assert all(name.startswith(("ecrw-smoke-", "ecr-warden-")) for name in names), names


def test_a_deployment_that_fails_is_removed_also_where_the_first_removal_fails(
    aws: EmulatedAws, tmp_path: Path
) -> None:
    denied = Fail("AccessDenied", "not authorized to perform it", 403)
    # A first deployment makes one of the bucket alone, then one of each stack; the one that fails is a member's.
    aws.add_fault(Fault("cloudformation", "ExecuteChangeSet", denied, nth=4))
    aws.add_fault(Fault("dynamodb", "DeleteTable", denied, times=1))
    done = smoke(aws, tmp_path, *DEPLOYMENT)
    assert all(state.reached for state in aws.faults())
    assert (done.returncode, "OTHERWISE: refused, not deployed: a right is missing" in done.stdout) == (1, True)
    assert "FAILED: LoopBroken: without a hub there is nothing further to ask" in done.stdout
    assert done.stdout.endswith("everything that was made is removed\n")
    assert left(aws) == []


def test_ctrl_c_in_the_middle_of_a_deployment_leaves_nothing(aws: EmulatedAws, tmp_path: Path) -> None:
    mark = aws.mark()
    with begun(aws, tmp_path, *DEPLOYMENT) as process:
        until(
            lambda: process.poll() is not None or [one for one in aws.calls(mark) if one.action == "ExecuteChangeSet"],
            what="the first stack",
        )
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=600)
    assert (process.returncode, "FAILED: interrupted" in out, err) == (1, True, "")
    assert out.endswith("everything that was made is removed\n")
    assert left(aws) == []


@pytest.mark.parametrize("account", [CI, REGISTRY])
def test_where_there_is_a_hub_or_a_member_nothing_is_made(aws: EmulatedAws, tmp_path: Path, account: str) -> None:
    """Of a hub in another region, the member stack shows it."""
    cloudformation = aws.client(account, "cloudformation", "us-east-1")
    topic = {"Description": "ecr-warden member - of another hub", "Resources": {"One": {"Type": "AWS::SNS::Topic"}}}
    cloudformation.create_stack(StackName="ecr-warden-member", TemplateBody=json.dumps(topic))
    mark = aws.mark()
    done = smoke(aws, tmp_path, *DEPLOYMENT)
    assert (done.returncode, done.stdout) == (
        1,
        f"refused: a hub, or what one has left, is in these accounts: stack ecr-warden-member in {account}/us-east-1\n",
    )
    assert [call.action for call in aws.calls(mark) if call.write] == []
    cloudformation.delete_stack(StackName="ecr-warden-member")


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
    page = tmp_path / "asked.md"
    page.write_text(PAGE.read_text())
    first, second = PROBES[0], PROBES[1]
    write_answers([Asked(first, Answer("as sent")), Asked(second, None, "no time")], page)
    answers = answers_in(page.read_text())
    assert list(answers) == [one.question for one in PROBES]
    assert answers[first.question].startswith("as sent (20")
    assert answers[second.question] == NOT_ASKED
    write_answers([Asked(first, None, "no time")], page)
    assert answers_in(page.read_text()) == answers
