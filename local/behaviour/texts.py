"""AWS's own words for what is not there. The emulators' codes are right, their texts are not."""

import re
from collections.abc import Mapping


def not_found(code: str, message: str, account: str, parameters: Mapping[str, str]) -> str:
    """AWS's message for an error, or the given one where nothing better is known (aws-facts 1.3, 2.2)."""
    repository = parameters.get("repositoryName", "")
    match code:
        case "RepositoryNotFoundException":
            return f"The repository with name '{repository}' does not exist in the registry with id '{account}'"
        case "RepositoryPolicyNotFoundException":
            return (
                f"Repository policy does not exist for the repository with name '{repository}' "
                f"in the registry with id '{account}'"
            )
        case "NoSuchEntity":
            role = re.fullmatch(r"Role (\S+) not found\.", message)
            return f"The role with name {role[1]} cannot be found." if role else message
        case _:
            return message
