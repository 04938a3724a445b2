"""The words for what an action does, shared by all sentences about access."""

from collections.abc import Collection

from ecr_warden.policy.action import ActionGroup

_VERBS = {
    ActionGroup.EVERYTHING: "do everything with",
    ActionGroup.PULL: "pull from",
    ActionGroup.PUSH: "push to",
    ActionGroup.DELETE: "delete from",
    ActionGroup.ADMIN: "administer",
    ActionGroup.ASSUME: "assume",
    ActionGroup.OTHER: "act on",
}
_LOGIN = frozenset({"ecr:GetAuthorizationToken"})


def deed(group: ActionGroup, actions: Collection[str], what: str) -> str:
    """`push to shop/checkout`; `actions` as AWS spells them, `what` ready to be shown."""
    # The token opens nothing by itself: which repositories it is good for, other actions say.
    return "log in to ECR" if _LOGIN.issuperset(actions) else f"{_VERBS[group]} {what}"
