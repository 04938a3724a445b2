"""An operator of the hub, at a terminal with the installed command."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from local.aws.launcher import ROOT
from local.demo.people import Somebody, existing
from local.demo.places import CI, REGION
from local.demo.stage import Stage

OPERATOR, READER = "ecr-warden-operator", "ecr-warden-reader"
_COMMAND = Path(sys.executable).parent / "ecr-warden"
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Terminal:
    """A person's terminal; the hub is in the region of its environment."""

    person: Somebody

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """`ecr-warden ...`, as this person."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "AWS_ENDPOINT_URL": self.person.aws.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.person.keys.key,
            "AWS_SECRET_ACCESS_KEY": self.person.keys.secret,
            "AWS_DEFAULT_REGION": REGION,
        }
        return subprocess.run(
            [str(_COMMAND), *argv],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )


def terminal_of(stage: Stage, name: str, policy: str) -> Terminal:
    """Make a user in the hub's account with one of the hub's policies for people, and nothing else."""
    iam = stage.aws.client(CI, "iam")
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::{CI}:policy/{policy}")
    return Terminal(existing(stage.aws, CI, name))
