"""With which right somebody pushed: decided by the accepted spec and the caller that CloudTrail shows."""

from collections.abc import Iterable
from copy import replace
from typing import cast

from ecr_warden.audit.also_allowed import covers
from ecr_warden.core.actions import REQUIRED, Access
from ecr_warden.core.address import AddressKind, repository_policy
from ecr_warden.core.desired import CompiledSpec, TargetSpec
from ecr_warden.core.sessions import Sessions
from ecr_warden.core.target import RepositoryTarget, target_arn, target_named
from ecr_warden.images.push import ImageEvent, Right
from iam_access.arn import iam_arn
from iam_access.document.document import Document, Effect
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.request import make_request
from iam_access.evaluate.request_principal import principal_named
from iam_access.evaluate.statement_match import Allowed
from iam_access.who_can.subject import ALLOW_EVERYTHING

[_PUSH] = REQUIRED[Access.PUSH]


def right_of(spec: CompiledSpec, target: TargetSpec, push: ImageEvent, opened: Sessions | None) -> Right:
    """The right of whoever pushed to a repository.

    `opened`: the sessions of the caller's role that may have been opened while others could open them.
    """
    actor = push.by
    if actor is None or not actor.account:
        return Right.UNKNOWN
    is_ours = actor.account in spec.accounts
    names = [actor.issuer or actor.arn]
    if not names[0]:
        # All that the repository's account sees of a caller of another one: anybody there whom the spec names.
        names = [iam_arn(actor.account, "root"), *(arn for arn in target.principals if f":{actor.account}:" in arn)]
    if not any(_gives(spec, target, push, name, is_ours=is_ours) for name in names):
        return Right.NO if is_ours else Right.OUTSIDE
    return Right.DOOR if opened and push.issued and opened.covers(Sessions(push.issued, push.issued)) else Right.YES


def _gives(spec: CompiledSpec, target: TargetSpec, push: ImageEvent, name: str, *, is_ours: bool) -> bool:
    """Whether the spec lets somebody push. AWS let them: so no Deny held, and the conditions on ours did."""
    repository, principal, own = cast(RepositoryTarget, target.target), principal_named(name), target_named(name)
    if any(
        covers(one, name, Access.PUSH, repository.account, repository.name)
        for one in spec.also_allowed
        if one.until is None or push.at < one.until
    ):
        return True
    if principal is None:
        return False
    entry = None if own is None else spec.targets.get(own.key)
    identity = {} if entry is None else {at: one for at, one in entry.granted.items() if at.kind is _IDENTITY}
    # Across accounts both sides allow it, and the other one is not the spec's.
    own_side = identity.values() if principal.account == repository.account else (ALLOW_EVERYTHING,)
    request = make_request(principal, _PUSH, target_arn(repository), {"aws:SecureTransport": "true"})
    policy = target.granted.get(repository_policy(repository))
    policies = Policies(_allowing(own_side, is_ours=is_ours), next(iter(_allowing((policy,), is_ours=is_ours)), None))
    return isinstance(evaluate(request, policies), Allowed)


def _allowing(documents: Iterable[object], *, is_ours: bool) -> tuple[Document, ...]:
    return tuple(
        replace(
            one,
            statements=tuple(
                replace(each, conditions=() if is_ours else each.conditions)
                for each in one.statements
                if each.effect is Effect.ALLOW
            ),
        )
        for one in documents
        if isinstance(one, Document)
    )


_IDENTITY = AddressKind.IDENTITY_POLICY
