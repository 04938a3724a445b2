"""Which kind of document this is, where nobody says."""

from ecr_warden.policy.document import Document, DocumentKind


def guessed_kind(document: Document) -> tuple[DocumentKind, str]:
    """The kind by what the document holds, and why."""
    if all(statement.principals is None for statement in document.statements):
        return DocumentKind.IDENTITY, "it has no Principal"
    actions = (value.lower() for statement in document.statements for value in statement.actions.values)
    if any(action.startswith("sts:") for action in actions):
        return DocumentKind.TRUST, "it has Principal and actions of sts"
    return DocumentKind.REPOSITORY, "it has Principal and no action of sts"
