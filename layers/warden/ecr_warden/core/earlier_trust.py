"""Trust policies of push roles in the form that they had before subjects by ID named the owner."""

import re

from iam_access.document.document import Document, parse_document

_BY_ID = re.compile(r'"repo:[^/@:*"]+@(?=[0-9]+/\*@)')


def as_written_before(trust: Document) -> Document:
    """The trust policy with any owner's name beside an owner's ID (`repo:*@1/*@2`)."""
    return parse_document(_BY_ID.sub('"repo:*@', trust.text))
