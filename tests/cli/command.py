"""The command in this process, with its own streams and documents."""

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.collect.estate import EstateReader, Reading
from ecr_warden.core.naming import spelled
from ecr_warden_cli.deployment.ports import Entered
from ecr_warden_cli.deployment.sessions import Ways
from ecr_warden_cli.terminal.aws_sessions import whole_accounts
from ecr_warden_cli.terminal.console import Console
from ecr_warden_cli.terminal.context import Caller, Context, Failure, Hub
from ecr_warden_cli.verbs.main import run
from local.testing.memory.hub import ManualClock
from local.testing.seed import CI, HOME
from tests.clouds import parts_of


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


INTERRUPT = b"\x03"


class Keyboard(io.BytesIO):
    """Input that says it is a terminal, where a line may be Ctrl-C."""

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if line == INTERRUPT:
            raise KeyboardInterrupt
        return line


def as_people(text: str) -> str:
    """A text with the principals of the example's accounts as people read them."""
    return spelled(text, {CI: "ci", HOME: "registry"})


def unfolded(text: str) -> str:
    """Output with each folded line in one piece again; what is indented for another reason is joined, too."""
    return re.sub(r"\n +", " ", text)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which is one JSON value."""
        return json.loads(self.out)

    @property
    def last_line(self) -> str:
        return self.out.splitlines()[-1]

    @property
    def unfolded(self) -> str:
        return unfolded(self.out)


HERE = ("--profile", "ci=ci-read")
"""A spec is compared with the accounts as they are."""


@dataclass(slots=True)
class Command:
    """`command("plan", "access.yaml")`; `profiles` is what the accounts were last opened with.

    `entries`: what is read of whole accounts, if that is not what `reader` reads.

    `opened`: region and profile of each hub that was asked for. `accounts`: account and region by profile. `columns`:
    wide, so that tests of what is said see no fold; those of how it is laid out take 80.
    `all_tags`: whether the tags of all repositories were last asked for.
    """

    reader: EstateReader | None = None
    terminal: bool = False
    columns: int = 1000
    environment: dict[str, str] = field(default_factory=dict)
    profiles: Mapping[str, str] = field(default_factory=dict)
    clock: ManualClock = field(default_factory=ManualClock)
    hub: Hub | None = None
    entries: dict[str, dict[str, Any]] | None = None
    accounts: Mapping[Any, tuple[str, str | None]] = field(default_factory=dict)
    all_tags: bool = False
    opened: list[tuple[str | None, str | None]] = field(default_factory=list)
    sleep: Callable[[float], None] = lambda _: None
    entered: Entered | None = None
    """The accounts of a deployment."""
    ways: Ways | None = None
    """By which they were last entered."""

    def __call__(self, *argv: str, stdin: bytes = b"") -> Ran:
        stream = Terminal if self.terminal else io.StringIO
        out, err = stream(), stream()
        console = Console(out, err, self.environment, self.columns)
        given = Keyboard(stdin) if self.terminal else io.BytesIO(stdin)
        code = run(argv, Context(given, console, self.clock, lambda: self, self.sleep))
        return Ran(code, out.getvalue(), err.getvalue())

    def open_reader(self, accounts: Sequence[SpecAccount], profiles: Mapping[str, str]) -> EstateReader:
        self.profiles = profiles
        if self.reader is None:
            raise Failure("no accounts in this test")
        return self.reader

    def read_parts(
        self,
        accounts: Sequence[SpecAccount],
        profiles: Mapping[str, str],
        *,
        all_tags: bool,
    ) -> Iterator[tuple[str, Reading]]:
        self.all_tags = all_tags
        if self.entries is None:
            yield from whole_accounts(self.open_reader(accounts, profiles), accounts, all_tags=all_tags)
            return
        self.profiles = profiles
        for account in accounts:
            yield from parts_of(account.id, self.entries)

    def identify(self, profile: str | None) -> Caller:
        if profile not in self.accounts:
            raise Failure("no such profile in this test")
        account, region = self.accounts[profile]
        return Caller(f"arn:aws:iam::{account}:user/push-user", account, region)

    def open_hub(self, region: str | None, profile: str | None) -> Hub:
        self.opened.append((region, profile))
        if self.hub is None:
            raise Failure("no hub in this test")
        return self.hub

    def enter(self, accounts: Mapping[str, str], ways: Ways, sleep: Callable[[float], None]) -> Entered:
        del accounts, sleep
        self.ways = ways
        if self.entered is None:
            raise Failure("no accounts to deploy to in this test")
        return self.entered
