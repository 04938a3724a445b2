"""A file against the live documents, read with a person's own credentials; and how a target stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ecr_warden.arn import ACCOUNT_ID
from ecr_warden.model.desired import RepositoryPattern, TargetSpec
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.observed import Observation
from ecr_warden.model.plan import Change, Plan
from ecr_warden.planning.write_scope import WriteScope
from ecr_warden.ports.documents import AccountUnread, Documents, Listing, Writer
from ecr_warden.spec.spec import Account
from ecr_warden.usecases.plan import plan_spec

from ecr_warden_cli.console import Console, Exit, cut
from ecr_warden_cli.context import Context, UsageError
from ecr_warden_cli.here_or_hub import Here
from ecr_warden_cli.spec_file import Compiled, load_compiled


class Status(StrEnum):
    """How a target stands. UNREADABLE wins: what could not be read is never counted as fine or as known."""

    OK = "ok"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Live:
    """A spec and a plan for each of its targets."""

    spec: Compiled
    plans: tuple[Plan, ...]
    documents: Documents


def read_live(here: Here, context: Context) -> Live:
    """Read every target of the spec; raises Failure."""
    spec = load_compiled(here.spec, context)
    profiles = parse_profiles(here.profiles, spec.spec.accounts)
    documents = _Counted(context.open_documents(spec.spec.accounts, profiles), context.console)
    return Live(spec, plan_spec(spec.compiled, documents, context.clock), documents)


def parse_profiles(texts: Sequence[str], accounts: Sequence[Account]) -> Mapping[str, str]:
    """`ACCOUNT=PROFILE` texts to profiles by account id; raises UsageError."""
    ids = {account.alias: account.id for account in accounts} | {account.id: account.id for account in accounts}
    profiles: dict[str, str] = {}
    for text in texts:
        account, equals, profile = text.partition("=")
        if not (equals and account and profile):
            raise UsageError(f"--profile {cut(text, 200)}", remedy="write ACCOUNT=PROFILE, such as ci=my-ci-profile")
        if account not in ids:
            known = ", ".join(entry.alias for entry in accounts)
            kind = "the spec has no such account" if ACCOUNT_ID.fullmatch(account) else "the spec has no such alias"
            raise UsageError(f"--profile {cut(text, 200)}: {kind}", remedy=f"the accounts of the spec are {known}")
        if profiles.setdefault(ids[account], profile) != profile:
            raise UsageError(f"--profile {cut(text, 200)}: the account has another profile already", remedy="give one")
    return profiles


def status_of(drifts: Sequence[Drift], changes: Sequence[Change] = ()) -> Status:
    """How a target with these stands."""
    if any(drift.kind is DriftKind.UNREADABLE for drift in drifts):
        return Status.UNREADABLE
    return Status.DIFFERS if drifts or changes else Status.OK


def exit_of(statuses: Sequence[Status]) -> Exit:
    """An error hides nothing and is hidden by nothing: unreadable comes before different."""
    if Status.UNREADABLE in statuses:
        return Exit.ERROR
    return Exit.DIFFERENT if Status.DIFFERS in statuses else Exit.FINE


def count_by_status(statuses: Sequence[Status]) -> dict[str, int]:
    """`{"targets", "ok", "differs", "unreadable"}`."""
    return {"targets": len(statuses)} | {str(status): statuses.count(status) for status in Status}


@dataclass(frozen=True, slots=True)
class _Counted:
    """Documents whose scan counts on the console."""

    documents: Documents
    console: Console

    def read(self, spec: TargetSpec) -> Observation:
        return self.documents.read(spec)

    def scan(self, specs: Sequence[TargetSpec], *, accounts: Sequence[str]) -> Iterator[Observation | AccountUnread]:
        observations = self.documents.scan(specs, accounts=accounts)
        return self.console.progress(observations, of=len(specs), doing="reading targets")

    def list_repositories(self, patterns: Sequence[RepositoryPattern]) -> Listing:
        return self.documents.list_repositories(patterns)

    def fence(self, account: str) -> WriteScope:
        return self.documents.fence(account)

    def writer(self, plan: Plan, run_id: str) -> Writer:
        return self.documents.writer(plan, run_id)
