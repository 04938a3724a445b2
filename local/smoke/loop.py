"""The loop on throw-away resources: created, in sync, tampered with, found, repaired, in sync again.

The use cases run in this process, on the profiles' own credentials and with a hub in memory: no deployed hub is needed
and none is touched. Literal documents on purpose: a deployed hub looks for `ecr-warden-*` policies and own roles alone.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.aws.accounts import AccountClients
from ecr_warden.bootstrap import collect, repair
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.sweep import Sweep
from ecr_warden.core.desired import CompiledSpec, RepositoryPattern, TargetSpec
from ecr_warden.core.failures import RetryLater
from ecr_warden.core.job import Attempt, Cause, CauseKind, ReconcileTarget, SweepAll, SweepIdentities, SweepRepositories
from ecr_warden.core.observed import Observation
from ecr_warden.core.plan import Plan
from ecr_warden.core.result import Result
from ecr_warden.core.target import Target
from ecr_warden.repair.alerts import OutcomeKind, RunEnded
from ecr_warden.repair.aws_documents import AwsDocuments
from ecr_warden.repair.documents import RepositoryListing, Writer
from ecr_warden.repair.reconcile import Reconcile
from local.smoke.throwaway import Side, Throwaway, document
from local.testing.memory.adapters import MemoryAdapters
from local.testing.memory.hub import ManualClock, MemoryAlertBus, MemorySpecs
from local.testing.waiting import until

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PUSH = [
    *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload"),
    *("ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"),
]
_FOR_GOOD = (Result.FAILED, Result.UNKNOWN, Result.REPORTED)  # what may pass by itself comes as RetryLater
_FIRST = Attempt(number=1, is_last=False)


class LoopBroken(Exception):
    """ecr-warden did not do what it promises; the message says where."""


class _Clock(ManualClock):
    """The in-memory hub needs a clock that can be moved; this one runs by itself."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Accounts:
    sides: Mapping[str, Side]

    def reader(self, account: str) -> AccountClients:
        return self.sides[account].clients

    def writer(self, account: str, run_id: str, session_policy: str) -> AccountClients:
        del run_id, session_policy
        return self.sides[account].clients


@dataclass(slots=True)
class _Confined:
    """Documents that open no write session for anything that was not made here, and count those that they open."""

    inner: AwsDocuments
    own: frozenset[str]
    writes: int = 0

    def read(self, spec: TargetSpec) -> Observation:
        return self.inner.read(spec)

    def list_repositories(self, patterns: Sequence[RepositoryPattern]) -> RepositoryListing:
        return self.inner.list_repositories(patterns)

    def writer(self, plan: Plan, run_id: str) -> Writer:
        if plan.target.key not in self.own:
            raise LoopBroken(f"a write to {plan.target}, which this test did not make")
        self.writes += 1
        return self.inner.writer(plan, run_id)


@dataclass(slots=True)
class Loop:
    """One hub in memory over the four documents of one throw-away grant; `patience`, `pause`: in seconds."""

    places: Throwaway
    say: Callable[[str], None]
    patience: float
    pause: float
    documents: _Confined = field(init=False)
    spec: CompiledSpec = field(init=False)
    reconcile: Reconcile = field(init=False)
    sweep: Sweep = field(init=False)
    alerts: MemoryAlertBus = field(default_factory=MemoryAlertBus)
    _names: dict[str, str] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=itertools.count)

    def run(self) -> None:
        """Run the whole loop; raises LoopBroken, and NeverCame if something does not happen in time."""
        self._prepare()
        self._converge("from nothing to the spec")
        self._rests("at rest: what AWS made of the documents is no drift")
        self._tamper()
        found = {target.key for target in self._due()}
        if found != set(self.spec.targets):
            raise LoopBroken(f"the sweep found {sorted(found)} of {sorted(self.spec.targets)}")
        self.say("the sweep found every change")
        self._converge("every change repaired")
        self._rests("at rest again")

    def _prepare(self) -> None:
        places = self.places
        pusher, puller = places.user("pusher"), places.user("puller")
        nobody = {"Effect": "Deny", "Principal": {"AWS": places.registry.account}, "Action": "sts:AssumeRole"}
        role, repository = places.role("push", nobody), places.repository("app")
        self._names = {"pusher": pusher, "role": role, "repository": repository}
        self.spec = self._load(pusher, puller, role, repository)
        sides = {side.account: side for side in (places.registry, places.ci)}
        accounts = _Accounts(sides)
        self.documents = _Confined(AwsDocuments(accounts), frozenset(self.spec.targets))
        hub = MemoryAdapters(
            clock=_Clock(),
            documents=self.documents,
            specs=MemorySpecs(compiled=self.spec),
            alerts=self.alerts,
            reader=AwsEstateReader(accounts),
        )
        self.reconcile = replace(repair.reconcile(hub.adapters), new_run_id=lambda: f"smoke{next(self._ids)}")
        # No hub is deployed, so there is none to watch: the wiring is in memory too.
        self.sweep = collect.sweep(hub.adapters)

    def _load(self, pusher: str, puller: str, role: str, repository: str) -> CompiledSpec:
        registry, ci = self.places.registry, self.places.ci
        arn = f"arn:aws:ecr:{registry.region}:{registry.account}:repository/{repository}"
        rows: list[tuple[dict[str, str], list[dict[str, Any]]]] = [
            (
                {"kind": "repository-policy", "account": "registry", "repository": repository},
                # A bare account id, a list out of order: what AWS is known to spell otherwise.
                [
                    {"Sid": "Pull", "Effect": "Allow", "Principal": {"AWS": [puller, pusher]}, "Action": PULL},
                    {"Sid": "List", "Effect": "Allow", "Principal": {"AWS": ci.account}, "Action": "ecr:ListImages"},
                ],
            ),
            (
                {"kind": "trust-policy", "account": "registry", "role": role},
                [{"Effect": "Allow", "Principal": {"AWS": pusher}, "Action": "sts:AssumeRole"}],
            ),
            (
                {"kind": "identity-policy", "account": "registry", "role": role, "name": "push"},
                [
                    {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
                    {"Effect": "Allow", "Action": PUSH, "Resource": arn},
                ],
            ),
            (
                {"kind": "identity-policy", "account": "ci", "user": pusher.rpartition("/")[2], "name": "assume"},
                [
                    {
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Resource": f"arn:aws:iam::{registry.account}:role/{role}",
                    }
                ],
            ),
        ]
        raw = {
            "version": 1,
            "accounts": {"ci": {"id": ci.account}, "registry": {"id": registry.account, "regions": [registry.region]}},
            "documents": [
                row | {"document": {"Version": "2012-10-17", "Statement": statements}} for row, statements in rows
            ],
            "settings": {"mode": "enforce"},
        }
        match load_spec(json.dumps(raw).encode(), version="smoke"):
            case Valid(compiled=compiled):
                return compiled
            case refused:
                raise LoopBroken(f"the smoke test's own file is not valid: {refused.problems[0]}")

    def _tamper(self) -> None:
        registry, ci, names = self.places.registry, self.places.ci, self._names
        registry.ecr.delete_repository_policy(registryId=registry.account, repositoryName=names["repository"])
        root = {"Effect": "Allow", "Principal": {"AWS": ci.account}, "Action": "sts:AssumeRole"}
        registry.iam.update_assume_role_policy(RoleName=names["role"], PolicyDocument=document(root))
        registry.iam.delete_role_policy(RoleName=names["role"], PolicyName="push")
        user = names["pusher"].rpartition("/")[2]
        denied = {"Effect": "Deny", "Action": "*", "Resource": "*"}
        ci.iam.put_user_policy(UserName=user, PolicyName="assume", PolicyDocument=document(denied))
        self.say("somebody changed all four documents")

    def _due(self) -> list[Target]:
        """What of ours the sweep finds; whatever else it finds in the accounts is left alone."""
        parts = self.sweep.sweep(SweepAll(Cause(CauseKind.SWEEP, f"sweep{next(self._ids)}")))
        due = [
            job
            for part in parts
            if isinstance(part, SweepIdentities | SweepRepositories)
            for job in self.sweep.sweep(part)
        ]
        targets = [job.target for job in due if isinstance(job, ReconcileTarget)]
        return [target for target in targets if target.key in self.spec.targets]

    def _run_once(self) -> Iterable[tuple[Target, Result | None]]:
        for spec in self.spec.targets.values():
            job = ReconcileTarget(Cause(CauseKind.CALLER, f"smoke{next(self._ids)}"), spec.target)
            try:
                result = self.reconcile.reconcile(job, _FIRST)
            except RetryLater as again:
                self.say(f"  again in a moment: {again.message}")
                yield spec.target, None
                continue
            if result in _FOR_GOOD:
                raise LoopBroken(f"{spec.target} ended as {result}: {self._reasons()}")
            yield spec.target, result

    def _reasons(self) -> str:
        """What the last run was refused, or could not read."""
        run = self.alerts.published[-1] if self.alerts.published else None
        if not isinstance(run, RunEnded):
            return "nothing was announced"
        failed = [change.explain for change in run.changes if change.outcome is OutcomeKind.FAILED]
        return "; ".join(failed or [difference.explain for difference in run.differences])

    def _converge(self, what: str) -> None:
        before = self.documents.writes
        until(
            lambda: all(result in (Result.IN_SYNC, Result.CONVERGED) for _, result in self._run_once()),
            self.patience,
            what,
            pause=self.pause,
        )
        self.say(f"{what} ({self.documents.writes - before} write sessions)")

    def _rests(self, what: str) -> None:
        before = self.documents.writes
        results = dict(self._run_once())
        due = self._due()
        if self.documents.writes != before or set(results.values()) != {Result.IN_SYNC} or due:
            raise LoopBroken(f"not {what}: {results}, {self.documents.writes - before} writes, due {due}")
        self.say(what)
