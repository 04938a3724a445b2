"""What somebody can do with the accounts while they are kept running."""

import itertools
import threading
from dataclasses import dataclass

from local.aws.launcher import ROOT
from local.demo.chat import as_it_looks
from local.demo.places import ADMINISTRATOR, CI, PUSHER, REGISTRY, REPOSITORY, RESULT
from local.demo.screen import Screen
from local.demo.stage import Stage
from local.testing.waiting import until


@dataclass(frozen=True, slots=True)
class Example:
    """A command for the AWS CLI, and the same for the project's own Python where that is not installed."""

    what: str
    cli: str
    python: str

    @property
    def one_liner(self) -> str:
        """The Python as a shell command."""
        return f'{ROOT / ".venv/bin/python"} -c "import boto3; {self.python}"'


EXAMPLES = (
    Example(
        "the live policy",
        f"aws ecr get-repository-policy --repository-name {REPOSITORY} --query policyText --output text",
        f"print(boto3.client('ecr').get_repository_policy(repositoryName='{REPOSITORY}')['policyText'])",
    ),
    Example(
        "an attack",
        f"aws iam attach-role-policy --role-name {PUSHER} --policy-arn {ADMINISTRATOR}",
        f"boto3.client('iam').attach_role_policy(RoleName='{PUSHER}', PolicyArn='{ADMINISTRATOR}')",
    ),
    Example(
        "and after a moment",
        f"aws iam list-attached-role-policies --role-name {PUSHER}",
        f"print(boto3.client('iam').list_attached_role_policies(RoleName='{PUSHER}')['AttachedPolicies'])",
    ),
)

QUESTIONS = tuple(
    f"AWS_ACCESS_KEY_ID={CI} {ROOT / '.venv/bin/ecr-warden'} {verb}"
    for verb in ("status", "history --since 10m", "plan")
)


def variables(stage: Stage, account: str) -> dict[str, str]:
    """The variables that make a terminal act as an account's root."""
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    given = stage.aws.environment(account)
    return {name: given[name] for name in names}


def keep(stage: Stage, screen: Screen) -> None:
    """Run until Ctrl-C and show alerts as they arrive."""
    stage.aws.clear_faults()
    screen.step("It keeps running until Ctrl-C. In another terminal:")
    for name, value in variables(stage, REGISTRY).items():
        screen.plain(f"    export {name}={value}")
    screen.plain("    unset AWS_PROFILE AWS_SESSION_TOKEN")
    for example in EXAMPLES:
        screen.plain(f"\n    # {example.what}")
        screen.plain(f"    {example.cli}")
        screen.plain(f"    {example.one_liner}")
    screen.plain("\n    # the hub's view; it runs in the other account")
    for question in QUESTIONS:
        screen.plain(f"    {question}")
    screen.plain("\n    An access key ID of 12 digits is that account's root.")
    screen.plain(f"    What was checked: {RESULT.relative_to(ROOT)}. Alerts come here:\n")
    try:
        for count in itertools.count(len(stage.chat.messages)):
            _show(stage, screen, count)
    except KeyboardInterrupt:
        screen.plain("\nstopped")


def _show(stage: Stage, screen: Screen, count: int) -> None:
    """Wait for the message after the first `count`, however long, and show it."""
    until(lambda: len(stage.chat.messages) > count, threading.TIMEOUT_MAX, "an alert")
    for line in as_it_looks(stage.chat.messages[count]):
        screen.plain(f"    \N{BOX DRAWINGS HEAVY VERTICAL} {line}".rstrip())
    screen.plain()
