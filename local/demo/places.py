"""The demo's accounts; not the tests' seed, because the demo judges the product from outside."""

from local.aws.launcher import ROOT

CI = "111111111111"
REGISTRY = "222222222222"
OUTSIDE = "999999999999"
REGION = "eu-central-1"
TRAIL_REGION = "us-east-1"  # where CloudTrail hands over IAM's events

REPOSITORY = "shop/checkout"
LEGACY = "legacy/app"
PUSHER = "ecr-pusher"
ROLE = f"arn:aws:iam::{REGISTRY}:role/ecr-warden/{PUSHER}"
PUSH_USER, PULL_USER = "push-user", "pull-user-1"
USERS = (PUSH_USER, PULL_USER, "pull-user-2")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

SPEC = ROOT / "examples" / "seed" / "access.yaml"
RESULT = ROOT / "build" / "demo.json"

REPOSITORY_TARGET = f"repository/{REGISTRY}/{REGION}/{REPOSITORY}"
LEGACY_TARGET = f"repository/{REGISTRY}/{REGION}/{LEGACY}"
ROLE_TARGET = f"role/{REGISTRY}/{PUSHER}"


def user_target(user: str) -> str:
    """The journal's key of a user of the CI account."""
    return f"user/{CI}/{user}"
