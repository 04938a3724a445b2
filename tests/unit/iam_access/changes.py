"""One change of one statement, of the kinds that people and attackers make."""

import copy
import random
from typing import Any


def changed(raw: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The document with one statement dropped, added, turned round, widened, narrowed or conditioned."""
    raw = copy.deepcopy(raw)
    statements = raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]
    raw["Statement"] = statements
    at = chance.randrange(len(statements))
    statement = statements[at]
    match chance.choice(("drop", "add", "action", "resource", "effect", "condition")):
        case "drop" if len(statements) > 1:
            statements.pop(at)
        case "action":
            name = "Action" if "Action" in statement else "NotAction"
            given = statement[name] if isinstance(statement[name], list) else [statement[name]]
            statement[name] = given[:-1] if len(given) > 1 else ["s3:GetObject"]
        case "resource":
            statement.pop("NotResource", None)
            statement["Resource"] = "arn:aws:s3:::x*y/*"
        case "effect":
            statement["Effect"] = "Deny" if statement["Effect"] == "Allow" else "Allow"
        case "condition":
            statement["Condition"] = {"StringEquals": {"aws:RequestTag/team": "checkout"}}
        case _:
            statements.append({"Effect": chance.choice(("Allow", "Deny")), "Action": "*:Get*", "Resource": "*"})
    return raw
