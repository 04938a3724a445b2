"""The pages of the command name every verb, code and state."""

import re

import pytest

from ecr_warden.core.failures import CallerUnauthenticated, CommandRepeated
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.result import Result
from ecr_warden.hub.commands import BadEnd
from ecr_warden.hub.queries import NoSuchRun
from ecr_warden.hub.selecting import NoSuchTarget, NothingAccepted
from ecr_warden.state.accepted import CompiledUnusable
from ecr_warden.state.commands import BadRequest
from ecr_warden.state.holds import HoldDecided
from ecr_warden.versions.holds import HoldOver, NoSuchHold
from ecr_warden_cli.deployment.file import DeploymentInvalid
from ecr_warden_cli.hub.comparison import LiveStatus
from ecr_warden_cli.terminal.aws_hub import HubUnreachable
from ecr_warden_cli.terminal.context import Failure, Lazy, UsageError
from ecr_warden_cli.terminal.inputs import SpecInvalid
from ecr_warden_cli.verbs.arguments import VERBS, parse_arguments
from tests.cli.test_emulator import RIGHTS
from tests.template.cfn import ROOT

TEXT = "".join((ROOT / "docs" / page).read_text() for page in ("cli.md", "schema/command.md"))
# No plan that people ask for is made in observe mode.
NEVER = {HoldReason.OBSERVE_MODE}

CODES = sorted(
    {
        code
        for path in (ROOT / "cli" / "ecr_warden_cli").rglob("*.py")
        for code in re.findall(r'code="([a-z-]+)"', path.read_text())
    }
)
"""Those of failures without a class of their own."""
ERRORS = (
    *(Failure, UsageError, SpecInvalid, DeploymentInvalid, HubUnreachable),
    *(
        BadRequest,
        BadEnd,
        CallerUnauthenticated,
        CommandRepeated,
        NoSuchTarget,
        NoSuchRun,
        NothingAccepted,
        NoSuchHold,
        HoldOver,
        HoldDecided,
        CompiledUnusable,
    ),
)


TAKERS = {
    "ECR_WARDEN_HUB_REGION": ("--hub-region",),
    "ECR_WARDEN_HUB_PROFILE": ("--hub-region", "[ACCOUNT=]PROFILE"),
}
"""In place of which options the variables are read."""


@pytest.mark.parametrize("verb", [name for name, verb in VERBS.items() if isinstance(verb, Lazy)])
def test_whoever_takes_the_hubs_region_names_its_variables(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments([verb, "--help"])
    shown = capsys.readouterr().out
    takers = {
        "ECR_WARDEN_HUB_REGION": ("--hub-region",),
        "ECR_WARDEN_HUB_PROFILE": ("--hub-region", "[ACCOUNT=]PROFILE"),
    }
    for variable, options in takers.items():
        assert variable in TEXT
        assert (variable in shown) is any(option in shown for option in options)


@pytest.mark.parametrize(
    "word",
    [
        *VERBS,
        *LiveStatus,
        *sorted({*DriftKind, *HoldReason} - NEVER),
        *(error.code for error in ERRORS),
        *CODES,
        *Result,
        *RIGHTS,
    ],
)
def test_each_word_of_the_output_is_documented(word: str) -> None:
    assert f"`{word}`" in TEXT
