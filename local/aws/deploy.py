"""Deploys the product's templates to the emulator, with the tools that people use."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import WaiterError

from local.aws.launcher import ROOT, EmulatedAws

SAM = ROOT / ".venv-sam" / "bin" / "sam"
BUILT = ROOT / "build" / "sam"
GIVEN = "WARDEN_BUILT"
"""The environment variable with the folder of a `sam build` of these sources: `make test` makes one for all."""
RELEASED = "ECR_WARDEN_RELEASE"
"""The environment variable with the folder of a release, for the command too."""
BUILD_SECONDS = 180
DEPLOY_SECONDS = 120
_CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")


class DeploymentFailed(Exception):
    """A build or a stack failed; the message has the tool's or CloudFormation's own words."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A finished stack's outputs."""

    name: str
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to create a stack, and under which name."""

    account: str
    region: str
    name: str


def build(template: Path = ROOT / "template.yaml", into: Path = BUILT) -> Path:
    """`sam build`; returns the built template's path. Raises DeploymentFailed.

    Needs PyPI, or the index that pip is configured with, for the layer's requirements.
    """
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "PATH": _path()}
    arguments = [str(SAM), "build", "--template", str(template), "--build-dir", str(into)]
    # sam keeps what it works with in `.aws-sam` of the current directory: two builds there remove each other's folders.
    into.mkdir(parents=True, exist_ok=True)
    _run(arguments, environment, BUILD_SECONDS, into.parent)
    return into / "template.yaml"


def built_product(into: Path = BUILT) -> Path:
    """The built template of the product: what somebody has built already, or a new build. Raises DeploymentFailed."""
    given = os.environ.get(GIVEN)
    return Path(given) / "template.yaml" if given else build(into=into)


def built_release(into: Path, root: Path = ROOT) -> Path:
    """The folder of the release of the checkout in `root`. Raises DeploymentFailed.

    Of this one it is what somebody has built already, or a new one.
    """
    if root == ROOT and (given := os.environ.get(RELEASED)):
        return Path(given)
    _run([str(SAM.parent / "python"), str(root / "tools" / "release.py"), str(into)], os.environ, BUILD_SECONDS)
    return into


def deploy_release(aws: EmulatedAws, file: str, accounts: Mapping[str, str], release: Path) -> None:
    """`ecr-warden deploy` of a release by the text of ecr-warden.yaml, with a profile for each account by its alias.

    Without a spec, which doctor, at its end, calls wrong. Raises DeploymentFailed.
    """
    with tempfile.TemporaryDirectory() as folder:
        home, profiles = Path(folder), [word for alias in accounts for word in ("--profile", f"{alias}={alias}")]
        (home / "ecr-warden.yaml").write_text(file)
        keys = "[{}]\naws_access_key_id={}\naws_secret_access_key=test\n"
        (home / "credentials").write_text("".join(keys.format(*one) for one in accounts.items()))
        environment = {
            **os.environ,
            RELEASED: str(release),
            "AWS_ENDPOINT_URL": aws.endpoint_url,
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
        }
        command = str(Path(sys.executable).parent / "ecr-warden")
        _run([command, "deploy", *profiles, "--yes"], environment, DEPLOY_SECONDS, home, fine=(0, 2))


def deploy(aws: EmulatedAws, place: Place, built: Path, parameters: Mapping[str, str]) -> Stack:
    """`sam deploy` of a built template, functions and layer uploaded. Raises DeploymentFailed."""
    given = [f"{key}={value}" for key, value in parameters.items()]
    arguments = [
        *(str(SAM), "deploy", "--template-file", str(built), "--stack-name", place.name, "--region", place.region),
        *("--resolve-s3", "--no-confirm-changeset", "--no-progressbar", "--no-fail-on-empty-changeset"),
        *("--capabilities", *_CAPABILITIES),
        *(["--parameter-overrides", *given] if given else []),
    ]
    # sam asks every 5 s by default how far the stack is; asking costs nothing here.
    settings = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.2", "PATH": _path()}
    environment = {**aws.environment(place.account, place.region), **settings}
    _run(arguments, environment, DEPLOY_SECONDS)
    return outputs(aws, place)


def create(aws: EmulatedAws, place: Place, template: Path, parameters: Mapping[str, str]) -> Stack:
    """Create a stack from a plain template and wait for it. Raises DeploymentFailed with the failed resources."""
    cloudformation = aws.client(place.account, "cloudformation", place.region)
    cloudformation.create_stack(
        StackName=place.name,
        TemplateBody=template.read_text(),
        Capabilities=list(_CAPABILITIES),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=place.name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
        )
    except WaiterError as error:
        raise DeploymentFailed(f"{place.name} in {place.account}: {_reasons(cloudformation, place.name)}") from error
    return outputs(aws, place)


def delete(aws: EmulatedAws, place: Place) -> None:
    """Delete a stack and wait for it. Raises DeploymentFailed with what could not be deleted."""
    cloudformation = aws.client(place.account, "cloudformation", place.region)
    cloudformation.delete_stack(StackName=place.name)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=place.name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
        )
    except WaiterError as error:
        raise DeploymentFailed(f"{place.name} in {place.account}: {_reasons(cloudformation, place.name)}") from error


def outputs(aws: EmulatedAws, place: Place) -> Stack:
    """The outputs of an existing stack."""
    found: Any = aws.client(place.account, "cloudformation", place.region).describe_stacks(StackName=place.name)[
        "Stacks"
    ][0]
    return Stack(place.name, {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])})


def _reasons(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"].endswith("FAILED")]
    return "; ".join(f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason', '')}" for one in failed)


def _path() -> str:
    """A PATH whose first python3.13 has pip: sam asks for the runtime there, the layer's Makefile for pip."""
    return os.pathsep.join([str(ROOT / ".tools" / "bin"), "/usr/local/bin", "/usr/bin", "/bin"])


def _run(
    arguments: list[str],
    environment: Mapping[str, str],
    seconds: int,
    folder: Path = ROOT,
    fine: Sequence[int] = (0,),
) -> None:
    try:
        done = subprocess.run(
            arguments, env=environment, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DeploymentFailed(f"{' '.join(arguments[:2])} took more than {seconds} s") from error
    if done.returncode not in fine:
        raise DeploymentFailed(f"{' '.join(arguments[:2])}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
