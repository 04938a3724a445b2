"""`documents:`: policy documents kept as they stand."""

from datetime import datetime

from ecr_warden.model.address import OUR_POLICY_PREFIX, Address, identity_policy, repository_policy, trust_policy
from ecr_warden.model.target import OwnerTarget, RepositoryTarget, RoleTarget, Target, UserTarget, target_arn
from ecr_warden.policy.document import Document, DocumentKind
from ecr_warden.policy.power import administering
from ecr_warden.spec.accounts import narrowed
from ecr_warden.spec.check_shape import Fields
from ecr_warden.spec.fields import IDENTITY_OWNERS
from ecr_warden.spec.grants import repository_name
from ecr_warden.spec.lint_literals import place_at
from ecr_warden.spec.literal_document import build_document
from ecr_warden.spec.nodes import MapNode, Scalar
from ecr_warden.spec.principals import Directory, check_iam_name, check_writable
from ecr_warden.spec.problems import Code, quote
from ecr_warden.spec.spec import Account, Literal

_MAX_POLICY_NAME = 128


def build_literal(entry: Fields, directory: Directory, now: datetime) -> Literal | None:
    """One item of `documents:`; None when its address or document is not understood."""
    kind_text, raw = entry.text("kind"), entry.raw("document")
    kind = None if kind_text is None else DocumentKind(kind_text.text)
    account = directory.accounts.referred(entry.text("account"), directory.report)
    document = None
    if raw is not None and kind is not None:
        document = build_document(raw, kind, directory.accounts, directory.report, now=now)
    match kind:
        case DocumentKind.REPOSITORY:
            addresses = _repository(entry, account, directory)
        case DocumentKind.TRUST:
            addresses = _trust(entry, account, directory)
        case DocumentKind.IDENTITY:
            addresses = _identity(entry, account, directory)
        case None:
            addresses = ()
    if not addresses or document is None or raw is None:
        return None
    if kind is DocumentKind.IDENTITY:
        _check_admin(entry, addresses[0].target, document, raw, directory)
    return Literal(addresses, document, entry.flag("exclusive"), entry.place)


def _check_admin(entry: Fields, owner: Target, document: Document, raw: MapNode, directory: Directory) -> None:
    """Report a document that makes its user or role an administrator, unless the entry says that it is meant."""
    report = directory.report
    path = directory.path_of(owner) if isinstance(owner, UserTarget | RoleTarget) else "/"
    found = next(administering(document, owner.account, target_arn(owner, path=path)), None)
    if entry.flag("allow_admin"):
        if found is None:
            report.add(Code.ADMIN_NOT_NEEDED, entry.place_of("allow_admin"), f"{owner} gets no such rights here")
    elif found is not None:
        place = place_at(raw, f"Statement[{found}].Effect")
        report.add(Code.ADMIN, place, f"statement {found + 1} makes {owner} administrator of the account")


def _repository(entry: Fields, account: Account | None, directory: Directory) -> tuple[Address, ...]:
    name = repository_name(entry.text("repository"), directory.report)
    if account is None:
        return ()
    regions = narrowed(account, directory.accounts, entry, directory.report)
    return tuple(repository_policy(RepositoryTarget(account.id, region, name)) for region in regions if name)


def _trust(entry: Fields, account: Account | None, directory: Directory) -> tuple[Address, ...]:
    role = entry.text("role")
    owner = None if role is None else _owner(role, "role", account, directory)
    return (trust_policy(owner),) if isinstance(owner, RoleTarget) else ()


def _identity(entry: Fields, account: Account | None, directory: Directory) -> tuple[Address, ...]:
    report, name = directory.report, entry.text("name")
    named = name is not None and check_iam_name(name.text, name.place, "policy", report, longest=_MAX_POLICY_NAME)
    if name is not None and name.text.lower().startswith(OUR_POLICY_PREFIX):
        message = f"{quote(name.text)} is named like the policies that ecr-warden makes"
        report.add(Code.RESERVED_POLICY, name.place, message)
    kinds = tuple(kind for kind in IDENTITY_OWNERS if kind in entry.keys)
    if len(kinds) != 1:
        has = "both role and user" if kinds else "neither role nor user"
        report.add(Code.ONE_OWNER, entry.place, f"an identity policy with {has}")
        return ()
    text = entry.text(kinds[0])
    owner = None if text is None else _owner(text, kinds[0], account, directory)
    return (identity_policy(owner, name.text),) if owner is not None and name is not None and named else ()


def _owner(name: Scalar, kind: str, account: Account | None, directory: Directory) -> OwnerTarget | None:
    if not check_iam_name(name.text, name.place, kind, directory.report) or account is None:
        return None
    if kind == "role" and not check_writable(name.text, "/", name.place, account, directory.report):
        return None
    owner: OwnerTarget = UserTarget(account.id, name.text) if kind == "user" else RoleTarget(account.id, name.text)
    # A literal document gives a name without its path: only the name can be written in two ways.
    directory.spell(owner, name.place, path=directory.path_of(owner))
    directory.places.setdefault(owner, name.place)
    return owner
