"""Somebody changed what ecr-warden itself works by, in words."""

from collections.abc import Iterator

from ecr_warden.model.alert import COMPILED_SPEC, OwnChanged

_DEPLOYS = "cloudformation.amazonaws.com"
# Without profile and region the AWS CLI takes the default account, which need not be the one that was changed.
_SEE = "aws cloudformation detect-stack-drift --profile ... --region ... --stack-name ecr-warden-member"


def is_by_deployment(changed: OwnChanged) -> bool:
    """Whether CloudFormation made the call for somebody, as it does when a stack is deployed."""
    return changed.cause.actor is not None and changed.cause.actor.invoked_by == _DEPLOYS


def describe_own_change(changed: OwnChanged) -> Iterator[str]:
    """What it means and what to do."""
    if changed.thing.startswith(COMPILED_SPEC):
        yield "Every run goes by it, and nothing but the acceptance of a spec writes it: nothing is kept now."
        yield "find out who can write the state bucket, then have the file compiled again: docs/security.md"
        return
    if is_by_deployment(changed):
        yield "CloudFormation did it for somebody: so it looks when the stacks are deployed. If nobody deployed them:"
    else:
        yield "ecr-warden works through it, and nothing but a deployment of its stacks should change it."
        yield "Whoever can change it can do what ecr-warden can, or blind it. ecr-warden does not put it back:"
    yield f"see what differs: {_SEE} (or the hub's stack)"
    yield "then put the stack back: docs/security.md"
