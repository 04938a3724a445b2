"""Writing one change, after reading its address once more.

AWS has no conditional write for these documents: between the re-read and the write a gap of one call remains. The next
observation finds a change made in that gap.
"""

from collections.abc import Callable
from copy import replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from ecr_warden.aws.accounts import AccountClients
from ecr_warden.aws.errors import translated
from ecr_warden.aws.member_errors import ECR_WRITING, IAM, IAM_DELETING
from ecr_warden.core.address import TAG_KEY, TAG_VALUE, AddressKind
from ecr_warden.core.desired import RoleSettings
from ecr_warden.core.failures import DocumentConflict, NotVisibleYet, SessionPolicyTooLarge, TargetNotFound
from ecr_warden.core.kinds import Operation
from ecr_warden.core.observed import Observed, Present, TargetMissing, Unparseable
from ecr_warden.core.plan import Change, NewRole, Plan
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.repair.aws_reading import (
    observed_document,
    observed_settings,
    read_inline,
    read_repository_policy,
    read_role,
)
from ecr_warden.repair.aws_session_policy import session_policy
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient


class WriteSession(Struct, frozen=True):
    """A write session, and the changes of the plan that it can make."""

    changes: tuple[Change, ...]
    clients: AccountClients


def open_sessions(plan: Plan, enter: Callable[[str], AccountClients]) -> tuple[WriteSession, ...]:
    """One session for the whole plan; if STS finds its policy too large, one for each half, and so on, in order.

    STS packs policies into a form with a limit of its own, whose size it alone knows. `enter`: opens a session with a
    session policy. All are open before anything is written; raises PortError.
    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (PackedPolicyTooLarge)
    """
    try:
        return (WriteSession(plan.changes, enter(session_policy(plan))),)
    except SessionPolicyTooLarge:
        middle = len(plan.changes) // 2
        if middle == 0:
            raise
        halves = plan.changes[:middle], plan.changes[middle:]
        return tuple(session for half in halves for session in open_sessions(replace(plan, changes=half), enter))


class AwsWriter(Struct, frozen=True):
    """The Writer port over the write sessions of one plan.

    For some seconds IAM may answer for a role that this writer created as for a deleted one
    (hashicorp/terraform-provider-aws #18435).
    """

    sessions: tuple[WriteSession, ...]
    _created: set[RoleTarget] = field(default_factory=set)

    def write(self, change: Change) -> None:
        try:
            self._write(change)
        except TargetNotFound as error:
            if change.address.target not in self._created:
                raise
            raise NotVisibleYet(
                f"{change.address.target} was created a moment ago, and IAM does not show it yet",
                remedy="it is retried automatically",
                retryable=True,
            ) from error

    def _clients(self, change: Change) -> AccountClients:
        return next(session.clients for session in self.sessions if change in session.changes)

    def _write(self, change: Change) -> None:
        match change.address.target, change.address.kind:
            case RepositoryTarget() as repository, AddressKind.REPOSITORY_POLICY:
                self._write_repository_policy(repository, change)
            case RoleTarget() as role, AddressKind.ROLE:
                self._write_role(role, change)
            case RoleTarget() as role, AddressKind.TRUST_POLICY:
                self._write_trust_policy(role, change)
            case (RoleTarget() | UserTarget()) as identity, AddressKind.IDENTITY_POLICY:
                self._write_inline_policy(identity, change)
            case (RoleTarget() | UserTarget()) as identity, AddressKind.ATTACHED_POLICY if (
                change.operation is Operation.DELETE
            ):
                self._detach(identity, change)
            case _:
                raise ValueError(f"no such write: {change.operation} {change.address}")

    def _write_repository_policy(self, target: RepositoryTarget, change: Change) -> None:
        ecr = self._clients(change).ecr(target.region)
        _expect(change, read_repository_policy(ecr, target))
        with translated(ECR_WRITING, f"writing the policy of {target}"):
            if isinstance(change.after, Document):
                # Never force=True: AWS's check against locking everybody out protects us too.
                ecr.set_repository_policy(
                    registryId=target.account, repositoryName=target.name, policyText=change.after.text
                )
            else:
                ecr.delete_repository_policy(registryId=target.account, repositoryName=target.name)

    def _write_role(self, target: RoleTarget, change: Change) -> None:
        iam = self._clients(change).iam
        with translated(IAM, f"writing {target}"):
            match change.after:
                case NewRole():
                    # EntityAlreadyExists, if somebody created it meanwhile, is translated to a conflict.
                    _create_role(iam, target, change.after)
                    self._created.add(target)
                case RoleSettings():
                    live = read_role(iam, target)
                    observed = observed_settings(live) if live else TargetMissing()
                    _expect(change, observed)
                    assert isinstance(observed, Present) and isinstance(observed.value, RoleSettings)
                    _update_role(iam, target, observed.value, change.after)
                case None:
                    live = read_role(iam, target)
                    _expect(change, observed_settings(live) if live else TargetMissing())
                    iam.delete_role(RoleName=target.name)
                case Document():
                    raise ValueError(f"a role is not a document: {change.address}")

    def _write_trust_policy(self, target: RoleTarget, change: Change) -> None:
        iam = self._clients(change).iam
        live = read_role(iam, target)
        _expect(
            change,
            observed_document(live["AssumeRolePolicyDocument"], DocumentKind.TRUST) if live else TargetMissing(),
        )
        assert isinstance(change.after, Document)
        with translated(IAM, f"writing the trust policy of {target}"):
            iam.update_assume_role_policy(RoleName=target.name, PolicyDocument=change.after.text)

    def _write_inline_policy(self, target: RoleTarget | UserTarget, change: Change) -> None:
        iam, name = self._clients(change).iam, change.address.name
        _expect(change, read_inline(iam, target, name))
        table = IAM_DELETING if change.after is None else IAM
        with translated(table, f"writing the inline policy {name} of {target}"):
            match target, change.after:
                case RoleTarget(name=identity), Document(text=text):
                    iam.put_role_policy(RoleName=identity, PolicyName=name, PolicyDocument=text)
                case RoleTarget(name=identity), _:
                    iam.delete_role_policy(RoleName=identity, PolicyName=name)
                case UserTarget(name=identity), Document(text=text):
                    iam.put_user_policy(UserName=identity, PolicyName=name, PolicyDocument=text)
                case UserTarget(name=identity), _:
                    iam.delete_user_policy(UserName=identity, PolicyName=name)

    def _detach(self, target: RoleTarget | UserTarget, change: Change) -> None:
        iam = self._clients(change).iam
        # Nothing to read again: an attachment has no content, and AWS refuses to detach it twice.
        with translated(IAM_DELETING, f"detaching {change.address.name} from {target}"):
            if isinstance(target, RoleTarget):
                iam.detach_role_policy(RoleName=target.name, PolicyArn=change.address.name)
            else:
                iam.detach_user_policy(UserName=target.name, PolicyArn=change.address.name)


def _expect(change: Change, observed: Observed) -> None:
    """Raises DocumentConflict unless the live value is the plan's; TargetNotFound if the target is gone."""
    match observed:
        case TargetMissing():
            raise TargetNotFound(f"{change.address.target} does not exist", remedy="it was deleted meanwhile")
        case Present(digest=digest) | Unparseable(digest=digest):
            found: str | None = digest
        case _:
            found = None
    if found != change.expect:
        raise DocumentConflict(f"{change.address} changed while it was repaired")


def _create_role(iam: "IAMClient", target: RoleTarget, new: NewRole) -> None:
    boundary: dict[str, Any] = {"PermissionsBoundary": new.settings.boundary} if new.settings.boundary else {}
    iam.create_role(
        RoleName=target.name,
        Path=new.settings.path,
        AssumeRolePolicyDocument=new.trust.text,
        MaxSessionDuration=new.settings.max_session_duration,
        Tags=[{"Key": TAG_KEY, "Value": TAG_VALUE}],
        **boundary,
    )


def _update_role(iam: "IAMClient", target: RoleTarget, live: RoleSettings, desired: RoleSettings) -> None:
    if desired.boundary is not None and live.boundary != desired.boundary:
        iam.put_role_permissions_boundary(RoleName=target.name, PermissionsBoundary=desired.boundary)
    if live.max_session_duration != desired.max_session_duration:
        iam.update_role(RoleName=target.name, MaxSessionDuration=desired.max_session_duration)
