"""Unique IDs of users and roles in policies, as the ARNs that they stand for."""

import re
from collections.abc import Mapping
from copy import replace

from iam_access.document.document import Document, Statement
from iam_access.document.principal import Principal
from iam_access.inventory.inventory import Inventory

_UNIQUE_ID = re.compile(r'"A(?:ID|RO)A[A-Z0-9]')


def arns_by_id(inventory: Inventory) -> Mapping[str, str]:
    """The ARNs of the users and roles by their unique IDs."""
    return {identity.unique_id: identity.arn for identity in inventory.identities() if identity.unique_id}


def with_arns(document: Document, arns: Mapping[str, str]) -> Document:
    """The document with ARNs where it has the unique ID of a user or role.

    IAM stores the ID and shows the ARN while it can; an ID that nobody has names somebody who was deleted.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """

    def named(statement: Statement) -> Statement:
        if statement.principals is None:
            return statement
        values = tuple(Principal(one.kind, arns.get(one.value, one.value)) for one in statement.principals.values)
        return replace(statement, principals=replace(statement.principals, values=values))

    if not _UNIQUE_ID.search(document.text):
        return document
    return replace(document, statements=tuple(map(named, document.statements)))
