"""What lint finds in a literal document, as problems of the spec at their places in the file."""

from datetime import datetime

from ecr_warden.policy.document import Document, DocumentKind
from ecr_warden.policy.lint import Rule, Severity, lint
from ecr_warden.spec.nodes import ListNode, MapNode, Node
from ecr_warden.spec.problems import Code, Place
from ecr_warden.spec.report import Report

# Findings with a code of their own; of the others the errors are what AWS would refuse.
_CODES = {
    Rule.PRINCIPAL_ANYONE: Code.ANYBODY,
    Rule.ALLOW_NOT_PRINCIPAL: Code.ANYBODY,
    Rule.RESOURCE_IN_REPOSITORY_POLICY: Code.RESOURCE_IN_REPOSITORY_POLICY,
    Rule.ELEMENT_OF_KIND: Code.ELEMENT_OF_KIND,
    Rule.ELEMENT_MISSING: Code.ELEMENT_OF_KIND,
    Rule.SERVICE_WITHOUT_SOURCE: Code.SERVICE_WITHOUT_SOURCE,
    Rule.ACTION_WITHOUT_REPOSITORY: Code.NO_EFFECT_IN_REPOSITORY_POLICY,
}
# The spec counts by owner, all policies of a user or role together.
_COUNTED_ELSEWHERE = frozenset({Rule.SIZE_OVER})


def lint_literal(
    document: Document, kind: DocumentKind, root: MapNode, report: Report, *, now: datetime, has_refused: bool
) -> None:
    """Report the errors and warnings of a document; `has_refused`: some of its values were reported already."""
    for finding in lint(document, kind, now=now):
        rule = finding.rule
        if (
            rule.severity is Severity.NOTE
            or rule in _COUNTED_ELSEWHERE
            or (has_refused and rule is Rule.VALUE_MALFORMED)
        ):
            continue
        place = place_at(root, finding.place)
        if rule in _CODES:
            report.add(_CODES[rule], place, finding.message, remedy=finding.remedy)
        else:
            code = Code.DOCUMENT if rule.severity is Severity.ERROR else Code.DOUBTFUL_DOCUMENT
            report.add(code, place, f"{finding.code}: {finding.message}", remedy=finding.remedy)


def place_at(node: Node, path: str) -> Place:
    """The place of a path such as `Statement[1].Condition.StringEquals`, or of what of it can be found."""
    place = node.place
    while path:
        path = path.removeprefix(".")
        if isinstance(node, MapNode) and path.startswith("[0]"):
            path = path.removeprefix("[0]")  # a single statement, without brackets
        elif isinstance(node, ListNode):
            index, _, rest = path.removeprefix("[").partition("]")
            if not index.isdigit() or int(index) >= len(node.items):
                return place
            node, path = node.items[int(index)], rest
            place = node.place
        elif isinstance(node, MapNode):
            # A condition key may hold a dot: the longest key that the path begins with.
            fitting = [entry for entry in node.entries if path.startswith(entry[0].text) and entry[0].text]
            if not fitting:
                return place
            key, node = max(fitting, key=lambda entry: len(entry[0].text))
            place, path = key.place, path[len(key.text) :]
        else:
            return place
    return place
