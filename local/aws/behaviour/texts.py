"""The texts of AWS's errors. The emulators have the right codes and other texts."""

import re
from collections.abc import Mapping

_FIVE_VERSIONS = (
    "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
)


def not_found(code: str, message: str, account: str, parameters: Mapping[str, str]) -> str:
    """AWS's message for an error, or the given one if AWS's is not known (aws-facts 1.3, 2.2, 2.3)."""
    repository = parameters.get("repositoryName", "")
    match code:
        case "RepositoryNotFoundException":
            return f"The repository with name '{repository}' does not exist in the registry with id '{account}'"
        case "RepositoryPolicyNotFoundException":
            return (
                f"Repository policy does not exist for the repository with name '{repository}' "
                f"in the registry with id '{account}'"
            )
        case "LimitExceeded" if "versions" in message:
            return _FIVE_VERSIONS
        case "NoSuchEntity":
            return _no_such_entity(message, parameters)
        case _:
            return message


def _no_such_entity(message: str, parameters: Mapping[str, str]) -> str:
    """Only these texts distinguish a missing inline policy from its missing owner."""
    policy = parameters.get("PolicyName", "")
    owner = next((noun for noun in ("role", "user", "group") if f"{noun.capitalize()}Name" in parameters), "role")
    if policy and re.match(rf"Policy (Document )?{re.escape(policy)} not (found|attached)", message):
        return f"The {owner} policy with name {policy} cannot be found."
    found = re.fullmatch(r"(Role|User) (\S+) not found\.?", message)
    return f"The {found[1].lower()} with name {found[2]} cannot be found." if found else message
