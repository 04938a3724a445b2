"""Targets and documents that the contracts are tried on."""

from collections.abc import Iterable

from ecr_warden.model.address import identity_policy
from ecr_warden.model.desired import Extent, RoleSettings, TargetSpec
from ecr_warden.model.target import RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.policy.document import Document, parse_document

CI, HOME = "111111111111", "222222222222"
REPOSITORY = RepositoryTarget(HOME, "eu-central-1", "shop/checkout")
ROLE = RoleTarget(HOME, "ecr-pusher")
USER = UserTarget(CI, "push-user")
BOUNDARY = f"arn:aws:iam::{HOME}:policy/ecr-warden/ecr-warden-boundary"
SETTINGS = RoleSettings("/ecr-warden/", 3600, BOUNDARY)
PUSH = identity_policy(ROLE, "ecr-warden-push")
ASSUME = identity_policy(USER, "ecr-warden-assume")


def repository_document(user: str = "pull-user-1", action: str = "ecr:BatchGetImage") -> Document:
    principal = {"AWS": f"arn:aws:iam::{CI}:user/{user}"}
    return parse_document(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": [action]}]}
    )


def trust_document(user: str = "push-user") -> Document:
    return repository_document(user, "sts:AssumeRole")


def identity_document(action: str = "ecr:PutImage") -> Document:
    return parse_document(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    )


def owner_spec(target: RoleTarget | UserTarget, extent: Extent, names: Iterable[str]) -> TargetSpec:
    """A spec that names inline policies of an owner."""
    return TargetSpec(target, extent, {identity_policy(target, name): identity_document() for name in names})
