"""What a verb gets besides its arguments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from ecr_warden.errors import WardenError
from ecr_warden.ports import Clock, Documents
from ecr_warden.spec.spec import Account

from ecr_warden_cli.console import Console

type OpenDocuments = Callable[[Sequence[Account], Mapping[str, str]], Documents]
"""(the spec's accounts, account id -> profile) to the live documents; raises Failure when no account can be read."""


class Failure(WardenError):
    """The verb cannot do what it was asked; said in one line, exit code 1."""

    code = "failure"


class UsageError(Failure):
    """The command was called in a way that it does not understand."""

    code = "usage"


@dataclass(frozen=True, slots=True)
class Context:
    """The world of one run; tests bring their own."""

    stdin: BinaryIO
    console: Console
    clock: Clock
    open_documents: OpenDocuments
