"""The step in which every document stays right, and somebody else gets in: a role that no spec names."""

from local.demo import truth
from local.demo.attack import Ring
from local.demo.chat import as_it_looks
from local.demo.edits import allow, policy
from local.demo.people import Somebody
from local.demo.places import OUTSIDE
from local.demo.quiet import by_product

SHADOW = "shadow-pusher"
FOUND = f"anybody in account {OUTSIDE} can pull and push"
_POLICY = "images"


def make(somebody: Somebody, name: str = _POLICY) -> None:
    """Make a role that anybody in an outside account may assume, and that may do everything with images.

    `name`: of its policy.
    """
    iam = somebody.client("iam")
    outside = {"AWS": f"arn:aws:iam::{OUTSIDE}:root"}
    iam.create_role(RoleName=SHADOW, AssumeRolePolicyDocument=policy(allow("sts:AssumeRole", Principal=outside)))
    iam.put_role_policy(RoleName=SHADOW, PolicyName=name, PolicyDocument=policy(allow("ecr:*", Resource="*")))


def remove(somebody: Somebody, name: str = _POLICY) -> None:
    """Remove it again."""
    iam = somebody.client("iam")
    iam.delete_role_policy(RoleName=SHADOW, PolicyName=name)
    iam.delete_role(RoleName=SHADOW)


def find(ring: Ring) -> None:
    """An audit finds the role, it is reported, and nothing is written; once it is gone, that is reported too."""
    stage, report, screen = ring.stage, ring.report, ring.report.screen
    somebody = stage.people.registry_admin
    mark, messages = stage.aws.mark(), len(stage.chat.messages)
    screen.bad(f"{somebody.words} makes role {SHADOW}, which account {OUTSIDE} may assume, and gives it ecr:*")
    make(somebody)
    first = stage.message(FOUND, messages)
    ring.quiet.wait(mark)
    right = truth.same(truth.read(stage.aws), ring.right)
    report.check("every document of the spec is right while an outsider can push", right, "read by a plain client")
    written = [call.action for call in by_product(stage.aws.calls(mark))]
    report.check("what no spec names is reported and not touched", not written, f"writes: {written}")
    report.check(
        "the message says which way, why, and what closes it",
        all(words in first.text for words in (f"through registry:role/{SHADOW}", "because statement 1", "remedy: ")),
        first.text,
    )
    for line in as_it_looks(first):
        screen.plain(f"             {line}".rstrip())
    remove(somebody)
    stage.message(f"no longer: {FOUND}", messages)
    ring.quiet.wait(mark)
    screen.good(f"ended      {FOUND}; its role is gone, and that was reported too")
