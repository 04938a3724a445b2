"""A person at a terminal in the folder of a deployment: types what is printed, in this process."""

import json
import shlex
import time
from collections.abc import Iterator, Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name

from ecr_warden_cli.deployment.aws_accounts import AwsEntered
from ecr_warden_cli.terminal.aws_hub import LambdaHub
from ecr_warden_cli.terminal.aws_sessions import AccountSession
from local.aws.deploy import built_release
from local.demo.places import CI, REGION, REGISTRY
from local.demo.stage import Stage
from local.testing.memory.hub import ManualClock
from tests.cli.command import Command, Ran

_YES = b"yes\n" * 3
"""To whatever is asked."""
_MODELS = botocore.session.Session()


_RENAMED = {"notification-endpoint": "Endpoint"}
"""Parameters that AWS's command calls otherwise than its API."""


def _briefly(_: float) -> None:
    time.sleep(0.02)


@dataclass(slots=True)
class Terminal:
    """`release`: what is deployed from it; `ahead`: by how much this machine's clock is ahead."""

    stage: Stage
    folder: Path
    release: Path
    ahead: timedelta = timedelta()
    _sessions: dict[str, AccountSession] = field(default_factory=dict)

    @classmethod
    def of(cls, stage: Stage, folder: Path) -> "Terminal":
        """In a folder that is the current one."""
        made = cls(stage, folder, built_release(folder / "release"))
        made._sessions = {
            one: AccountSession(stage.aws.session(one, REGION), one, f"arn:aws:iam::{one}:root")
            for one in (CI, REGISTRY)
        }
        return made

    def types(self, line: str, account: str = CI) -> Ran | None:
        """Type a line, with credentials of an account where it is a command of AWS's; what it asks is answered yes."""
        program, *words = shlex.split(line)
        if program == "ecr-warden":
            return self.runs(*words)
        if program == "aws":
            self._asks_aws(*words, account=account)
        else:
            assert line == "sudo timedatectl set-ntp true", line
            self.ahead = timedelta()
        return None

    def runs(self, *words: str) -> Ran:
        """Run the command."""
        clock = ManualClock(datetime.now(UTC) + self.ahead)
        hub = LambdaHub(self._sessions[CI].session, REGION)
        environment = {"ECR_WARDEN_RELEASE": str(self.release)}
        command = Command(
            environment=environment, clock=clock, hub=hub, entered=AwsEntered(self._sessions, _briefly), sleep=_briefly
        )
        return replace(command, terminal="--json" not in words)(*words, stdin=_YES)

    def _asks_aws(self, service: str, operation: str, *words: str, account: str) -> None:
        """A command of AWS's own, by the model of the service; raises ClientError."""
        model = _MODELS.get_service_model(service)
        shape = next(
            found.input_shape
            for found in map(model.operation_model, model.operation_names)
            if xform_name(found.name, "-") == operation
        )
        assert shape is not None
        members = {xform_name(name, "-"): name for name in shape.members} | _RENAMED
        given = dict(_options(words))
        client = self.stage.aws.client(account, service, given.pop("region", REGION))
        values = {members[name]: self._value(text) for name, text in given.items()}
        getattr(client, operation.replace("-", "_"))(**values)

    def _value(self, text: str) -> Any:
        kind, _, name = text.partition("://")
        match kind:
            case "file":
                return (self.folder / name).read_text()
            case "fileb":
                return (self.folder / name).read_bytes()
            case _ if text.startswith(("[", "{")):
                return json.loads(text)
            case _:
                return text


def _options(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, value in zip(words[::2], words[1::2], strict=True):
        assert name.startswith("--"), words
        yield name.removeprefix("--"), value


def found(ran: Ran) -> list[Mapping[str, Any]]:
    """All diagnoses of a run of doctor."""
    return [one for group in ran.json["groups"] for one in group["diagnoses"]]
