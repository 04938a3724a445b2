"""The table of tampers: who does what, and which target is repaired."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from local.demo import edits
from local.demo.edits import Document, allow, policy
from local.demo.people import People, Somebody
from local.demo.places import (
    ADMINISTRATOR,
    OUTSIDE,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    REPOSITORY,
    REPOSITORY_TARGET,
    ROLE_TARGET,
    user_target,
)

ASSUME, PULL, PUSH = "ecr-warden-assume", "ecr-warden-pull", "ecr-warden-push"
CUTOFF = "ecr-warden-deny-older-sessions"
_SET, _PUT_ROLE, _PUT_USER = "ecr:SetRepositoryPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy"


class Side(Enum):
    """The account whose administrator tampers."""

    REGISTRY = auto()
    CI = auto()

    def somebody(self, people: People) -> Somebody:
        """The administrator."""
        return people.registry_admin if self is Side.REGISTRY else people.ci_admin


@dataclass(frozen=True, slots=True)
class Tamper:
    """`what` completes a sentence that begins with who; `repair`: what is repaired; `actions`: its API calls."""

    side: Side
    what: str
    repair: str
    target: str
    actions: tuple[str, ...]
    do: Callable[[Somebody], object]


def _in_repository(what: str, repair: str, edit: edits.Edit) -> Tamper:
    return Tamper(
        Side.REGISTRY,
        what,
        repair,
        REPOSITORY_TARGET,
        (_SET,),
        lambda who: edits.edit_repository(who, REPOSITORY, edit),
    )


def _on_role(what: str, repair: str, actions: tuple[str, ...], do: Callable[[Somebody], object]) -> Tamper:
    return Tamper(Side.REGISTRY, what, repair, ROLE_TARGET, actions, do)


def _on_user(user: str, what: str, repair: str, actions: tuple[str, ...], do: Callable[[Somebody], object]) -> Tamper:
    return Tamper(Side.CI, what, repair, user_target(user), actions, do)


def lets_in(arn: str) -> edits.Edit:
    """Add a principal to the first statement."""

    def edit(document: Document) -> None:
        principal = document["Statement"][0]["Principal"]
        principal["AWS"] = [*edits.as_list(principal["AWS"]), arn]

    return edit


def is_pushed_to_by(arn: str) -> edits.Edit:
    """Let a principal push, in a statement of its own."""

    def edit(document: Document) -> None:
        document["Statement"] = [
            *edits.as_list(document["Statement"]),
            edits.allow(["ecr:PutImage", "ecr:InitiateLayerUpload"], Principal={"AWS": arn}),
        ]

    return edit


def lets_everybody_in(document: Document) -> None:
    """Open the first statement to everybody."""
    document["Statement"][0]["Principal"] = "*"


def is_hard_to_compare(document: Document) -> None:
    """Let everybody pull, in statements that are too hard to compare."""
    pulls = edits.allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Principal="*")
    starred = [f"ecr:*{first}*{second}*" for first in "abcdefghijklmnop" for second in "abcdefghijklmnop"]
    document["Statement"] += [
        pulls | {"Condition": {"StringEquals": {"aws:UserAgent": "É"}}},
        pulls | {"Condition": {"BinaryEquals": {"aws:UserAgent": "YQ=="}}},
        pulls | {"Action": starred},
        pulls | {"Action": starred, "Effect": "Deny", "Condition": {"Bool": {"aws:UserAgent": ["true", "1"]}}},
    ]


def loses_an_action(document: Document) -> None:
    """Remove the first action of the first statement."""
    statement = document["Statement"][0]
    statement["Action"] = edits.as_list(statement["Action"])[1:]


OUTSIDER = f"arn:aws:iam::{OUTSIDE}:root"

OPENED_ROLE = _on_role(
    f"lets account {OUTSIDE} assume {PUSHER}",
    f"the trust policy of {PUSHER}",
    ("iam:UpdateAssumeRolePolicy",),
    lambda who: edits.edit_trust(who, lets_in(OUTSIDER)),
)

REOPENED_SESSIONS = _on_role(
    "deletes the policy that denies older sessions",
    f"the cut-off of older sessions of {PUSHER}",
    ("iam:DeleteRolePolicy",),
    lambda who: who.client("iam").delete_role_policy(RoleName=PUSHER, PolicyName=CUTOFF),
)

TAMPERS = (
    _in_repository(
        f"adds account {OUTSIDE} to the policy of {REPOSITORY}", f"the policy of {REPOSITORY}", lets_in(OUTSIDER)
    ),
    _in_repository(f"opens {REPOSITORY} to everybody (Principal: *)", f"the policy of {REPOSITORY}", lets_everybody_in),
    _in_repository(
        f"opens {REPOSITORY} to everybody in a document made to be hard to compare",
        f"the policy of {REPOSITORY}",
        is_hard_to_compare,
    ),
    Tamper(
        Side.REGISTRY,
        f"deletes the policy of {REPOSITORY}",
        f"the policy of {REPOSITORY}",
        REPOSITORY_TARGET,
        ("ecr:DeleteRepositoryPolicy",),
        lambda who: who.client("ecr").delete_repository_policy(repositoryName=REPOSITORY),
    ),
    _in_repository(
        f"removes an action from the policy of {REPOSITORY}", f"the policy of {REPOSITORY}", loses_an_action
    ),
    _on_role(
        f"replaces the permissions of {PUSHER} with ecr:* on *",
        f"inline policy {PUSH} of {PUSHER}",
        (_PUT_ROLE,),
        lambda who: who.client("iam").put_role_policy(
            RoleName=PUSHER, PolicyName=PUSH, PolicyDocument=policy(allow("ecr:*", Resource="*"))
        ),
    ),
    _on_role(
        f"puts a second inline policy on {PUSHER}",
        f"{PUSHER} has one inline policy",
        (_PUT_ROLE,),
        lambda who: who.client("iam").put_role_policy(
            RoleName=PUSHER, PolicyName="debug", PolicyDocument=policy(allow("s3:GetObject", Resource="*"))
        ),
    ),
    _on_role(
        f"attaches AdministratorAccess to {PUSHER}",
        f"{PUSHER} has no attached policy",
        ("iam:AttachRolePolicy",),
        lambda who: who.client("iam").attach_role_policy(RoleName=PUSHER, PolicyArn=ADMINISTRATOR),
    ),
    _on_role(
        f"removes the permissions boundary of {PUSHER}",
        f"the boundary of {PUSHER}",
        ("iam:DeleteRolePermissionsBoundary",),
        lambda who: who.client("iam").delete_role_permissions_boundary(RoleName=PUSHER),
    ),
    _on_role(
        f"lets sessions of {PUSHER} last 12 hours",
        f"the longest session of {PUSHER}",
        ("iam:UpdateRole",),
        lambda who: who.client("iam").update_role(RoleName=PUSHER, MaxSessionDuration=43200),
    ),
    _on_user(
        PUSH_USER,
        f"puts a policy named ecr-warden-x on {PUSH_USER}",
        f"{PUSH_USER} has no policy ecr-warden-x",
        (_PUT_USER,),
        lambda who: who.client("iam").put_user_policy(
            UserName=PUSH_USER, PolicyName="ecr-warden-x", PolicyDocument=policy(allow("iam:*", Resource="*"))
        ),
    ),
    _on_user(
        PUSH_USER,
        f"deletes inline policy {ASSUME} of {PUSH_USER}",
        f"inline policy {ASSUME} of {PUSH_USER}",
        ("iam:DeleteUserPolicy",),
        lambda who: who.client("iam").delete_user_policy(UserName=PUSH_USER, PolicyName=ASSUME),
    ),
    _on_user(
        PULL_USER,
        f"deletes inline policy {PULL} of {PULL_USER}",
        f"inline policy {PULL} of {PULL_USER}",
        ("iam:DeleteUserPolicy",),
        lambda who: who.client("iam").delete_user_policy(UserName=PULL_USER, PolicyName=PULL),
    ),
    _on_role(
        f"deletes {PUSHER}",
        f"{PUSHER}, recreated",
        ("iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole"),
        edits.delete_role,
    ),
)

ADDED_PUSH = _in_repository(
    f"lets account {OUTSIDE} push to {REPOSITORY}", f"the policy of {REPOSITORY}", is_pushed_to_by(OUTSIDER)
)

UNSEEN = _in_repository(
    f"opens {REPOSITORY} to everybody, and no event reports it", f"the policy of {REPOSITORY}", lets_everybody_in
)
