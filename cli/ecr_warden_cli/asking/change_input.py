"""The changes that `what-if` supposes: options, or a file of JSON from people, read strictly."""

import argparse
from collections.abc import Iterator

from ecr_warden.core.ecr import ECR
from ecr_warden_cli.asking.access import arn_meant, find_repository
from ecr_warden_cli.asking.estate_input import OpenedEstate
from ecr_warden_cli.asking.naming import in_full
from ecr_warden_cli.asking.what_if import OF_WHAT, ChangeKind, Supposed
from ecr_warden_cli.terminal.context import Context, Failure, UsageError, argument
from ecr_warden_cli.terminal.inputs import name_of, read_json
from iam_access.document.document import Document, Effect, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.errors import NamedError
from iam_access.lint.lint import lint
from iam_access.lint.rules import LintRule
from iam_access.text.nearest import did_you_mean, nearest
from iam_access.text.printable import printable
from iam_access.text.strict_json import DocumentError, json_type

MAX_BYTES = 1024 * 1024
MAX_CHANGES = 100
_KEYS = ("change", "of", "document", "name", "tags")
_REMOVABLE = (
    ChangeKind.IDENTITY_POLICY,
    ChangeKind.BOUNDARY,
    ChangeKind.REPOSITORY_POLICY,
    ChangeKind.REGISTRY_POLICY,
)
"""What can be missing: `"document": null` removes it."""
_FORM = 'write {"change": "trust-policy", "of": "ARN", "document": {...}}, or a list of such changes'


class ChangeUnusable(Failure, code="change-unusable"):
    """The file of changes could not be read."""


_FORMS = ("role", "user", "repository", "new_spec", "change")
_DOCUMENTS = {
    "role": "--policy NAME=FILE or --trust FILE",
    "user": "--policy NAME=FILE",
    "repository": "--policy FILE once",
}
_WHICH = "give one of --role R, --user U, --repository R, --new-spec FILE and CHANGE"


CHANGE_ARGUMENTS = (
    argument(
        "change", metavar="CHANGE", nargs="?", help="a JSON file with one change or a list of them, or - for stdin"
    ),
    argument("--role", metavar="ROLE", help="a role: with --trust, with --policy NAME=FILE, or with both"),
    argument("--user", metavar="USER", help="a user: with --policy NAME=FILE"),
    argument("--repository", metavar="REPOSITORY", help="a repository: with --policy FILE"),
    argument("--trust", metavar="FILE", help="the trust policy that the role would have"),
    argument(
        "--policy",
        metavar="[NAME=]FILE",
        action="append",
        default=[],
        help="the inline policy of that name that the role or user would have, or the repository's policy; "
        "a file that says null: none",
    ),
    argument("--new-spec", metavar="FILE", help="a spec: if it were enforced"),
)
"""What would be different."""


def changes_asked(arguments: argparse.Namespace, context: Context) -> list[Supposed]:
    """The changes that the options or a file describe, none for a spec; raises Failure."""
    given = [name for name in _FORMS if getattr(arguments, name) is not None]
    if (arguments.trust or arguments.policy) and not any(name in _FORMS[:3] for name in given):
        raise UsageError("--trust or --policy without whose it would be", remedy="add --role, --user or --repository")
    if len(given) != 1:
        raise UsageError(f"{len(given)} things that would be different", remedy=_WHICH)
    [form] = given
    if form == "change":
        return read_changes(arguments.change, context)
    return [_of_file(*one, context) for one in _documents(form, arguments)]


def _documents(form: str, arguments: argparse.Namespace) -> Iterator[tuple[ChangeKind, str, str, str]]:
    """(kind, of what, the name of an inline policy, file) of each document that the options name; raises UsageError."""
    of = getattr(arguments, form)
    if form == "new_spec":
        return
    if arguments.trust and form != "role":
        raise UsageError(f"--trust with --{form}", remedy="only a role has a trust policy: name it with --role")
    named = [path.partition("=") if form != "repository" else (form, "=", path) for path in arguments.policy]
    if not all(name and equals for name, equals, _ in named):
        raise UsageError("--policy without a name", remedy="write NAME=FILE, with the name of the inline policy")
    if not (named or arguments.trust) or (form == "repository" and len(named) != 1):
        raise UsageError(f"--{form} without the document that it would have", remedy=f"add {_DOCUMENTS[form]}")
    if form == "repository":
        yield ChangeKind.REPOSITORY_POLICY, of, "", named[0][2]
        return
    account, colon, name = of.rpartition(":")
    of = of if "/" in of else f"{account}{colon}{form}/{name}"
    yield from ((ChangeKind.TRUST_POLICY, of, "", path) for path in (arguments.trust,) if path)
    yield from ((ChangeKind.IDENTITY_POLICY, of, name, path) for name, _, path in named)


def _of_file(kind: ChangeKind, of: str, name: str, path: str, context: Context) -> Supposed:
    """The change that puts the document of a file there; raises Failure."""
    remedy = "give the JSON of the policy document" + (", or null for none" if kind in _REMOVABLE else "")
    document = read_json(path, context.stdin, MAX_BYTES, code=ChangeUnusable.code, remedy=remedy)
    raw = {"change": kind.value, "of": of, "document": document}
    [change] = changes_of(raw | ({"name": name} if name else {}), name_of(path))
    return change


def read_changes(path: str, context: Context) -> list[Supposed]:
    """The changes of a file; raises Failure."""
    return changes_of(read_json(path, context.stdin, MAX_BYTES, code=ChangeUnusable.code, remedy=_FORM), name_of(path))


def changes_of(raw: object, name: str = "the changes") -> list[Supposed]:
    """The changes that parsed JSON describes; raises Failure. `name`: of the file."""
    entries = raw if isinstance(raw, list) else [raw]
    if not 0 < len(entries) <= MAX_CHANGES:
        raise ChangeUnusable(f"{name} has {len(entries)} changes", remedy=f"give 1 to {MAX_CHANGES}")
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_change(entry))
        except NamedError as error:
            place = f"change {number} of " if len(entries) > 1 else ""
            raise ChangeUnusable(f"{place}{name}: {error.message}", remedy=error.remedy) from error
    return found


def _change(raw: object) -> Supposed:
    """Raises ChangeUnusable or DocumentError."""
    if not isinstance(raw, dict):
        raise ChangeUnusable(f"{json_type(raw)} instead of a change", remedy=_FORM)
    for key in raw:
        if key not in _KEYS:
            hint = did_you_mean("".join(nearest(key, _KEYS)))
            raise ChangeUnusable(f"unknown key {printable(key, 80)}{hint}", remedy=f"{_FORM}; keys: {', '.join(_KEYS)}")
    kind = _kind(raw.get("change"))
    of, name, tags = raw.get("of"), raw.get("name", ""), raw.get("tags")
    if not isinstance(of, str) or not of:
        raise ChangeUnusable('"of" is missing, or no text', remedy=f"write {OF_WHAT[kind]}")
    if not isinstance(name, str) or bool(name) is not (kind is ChangeKind.IDENTITY_POLICY):
        raise ChangeUnusable(
            f"name is missing, or has no meaning for {kind}",
            remedy="write the name of the inline policy, for an identity-policy only",
        )
    if kind is ChangeKind.TAGS:
        if "document" in raw or not isinstance(tags, dict) or not tags:
            raise ChangeUnusable("tags are missing", remedy='write "tags": {"KEY": "VALUE"}; null removes a tag')
        if not all(value is None or isinstance(value, str) for value in tags.values()):
            raise ChangeUnusable("the value of a tag is no text", remedy="write a text, or null to remove the tag")
        return Supposed(kind, of, tags=tags)
    if tags is not None or "document" not in raw:
        raise ChangeUnusable("document is missing", remedy="write the whole policy document that would be there")
    return Supposed(kind, of, _document(kind, raw["document"]), name)


def _kind(raw: object) -> ChangeKind:
    if raw not in list(ChangeKind):
        hint = did_you_mean("".join(nearest(str(raw), list(ChangeKind))))
        said = "change is missing" if raw is None else f"no kind of change: {printable(str(raw), 80)}{hint}"
        raise ChangeUnusable(said, remedy=f"write one of {', '.join(ChangeKind)}")
    return ChangeKind(str(raw))


def _document(kind: ChangeKind, raw: object) -> Document | None:
    if raw is None:
        if kind not in _REMOVABLE:
            raise ChangeUnusable(f"there is always a document for a {kind}", remedy="write what would be there")
        return None
    if not isinstance(raw, dict):
        raise ChangeUnusable(f"document: {json_type(raw)} instead of a policy document", remedy="write it as an object")
    try:
        document = parse_document(raw)
    except DocumentError as error:
        raise ChangeUnusable(f"document: {error.message}", remedy=error.remedy) from error
    _check(kind, document)
    return document


_OF_RESOURCES = {
    ChangeKind.REPOSITORY_POLICY: ECR,
    ChangeKind.REGISTRY_POLICY: None,
    ChangeKind.RESOURCE_CONTROL_POLICY: None,
    ChangeKind.ENDPOINT_POLICY: None,
}
"""The documents with principals that are no trust policies, and whose quota a document has."""
_REFUSED = frozenset(
    {LintRule.ELEMENT_OF_KIND, LintRule.ELEMENT_MISSING, LintRule.EFFECT_CASE, LintRule.PRINCIPAL_PATTERN}
)


def _check(kind: ChangeKind, document: Document) -> None:
    """Raises ChangeUnusable for what AWS refuses as a document of this kind: no answer about it would be true.

    An account can have the quota of trust policies raised. Source of the last rule:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
    """
    of_kind, refused = DocumentKind.IDENTITY, _REFUSED | {LintRule.SIZE_OVER}
    if kind is ChangeKind.TRUST_POLICY:
        of_kind, refused = DocumentKind.TRUST, _REFUSED
    elif kind in _OF_RESOURCES:
        of_kind = DocumentKind.RESOURCE
    for finding in lint(document, of_kind, _OF_RESOURCES.get(kind)):
        if finding.rule in refused:
            place = f"document.{finding.place}" if finding.place else "document"
            raise ChangeUnusable(f"{place}: {finding.message} ({kind})", remedy=finding.remedy)
    is_limit = kind is ChangeKind.RESOURCE_CONTROL_POLICY
    if is_limit and any(statement.effect is Effect.ALLOW for statement in document.statements):
        raise ChangeUnusable(f"document: a {kind} that allows something", remedy="deny what is to be kept out")


def change_in_full(change: Supposed, asked: OpenedEstate) -> Supposed:
    """The change of what it is of, in full: people may write aliases, names and images; raises AccessError."""
    of = asked.accounts.get(change.of) or arn_meant(asked.estate, change.of, asked.accounts)
    is_tagged_repository = change.kind is ChangeKind.TAGS and ":iam::" not in of
    if change.kind is ChangeKind.REPOSITORY_POLICY or is_tagged_repository:
        target = find_repository(asked.estate, in_full(change.of, asked.accounts)).target
        of = f"{target.account}/{target.region}/{target.name}"
    elif change.kind is ChangeKind.REGISTRY_POLICY:
        account, slash, region = change.of.partition("/")
        of = f"{asked.accounts.get(account, account)}{slash}{region}"
    return Supposed(change.kind, of, change.document, change.name, change.tags)
