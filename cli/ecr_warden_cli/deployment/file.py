"""ecr-warden.yaml to a deployment, or to all its problems at their places, as a spec is read."""

import re
from collections.abc import Mapping, Sequence

from ecr_warden.access_spec.accounts import SpecAccounts, build_accounts, build_regions
from ecr_warden.access_spec.check_shape import Fields, check_shape
from ecr_warden.access_spec.nodes import Scalar
from ecr_warden.access_spec.parse import parse_text
from ecr_warden.access_spec.problems import Code, ProblemReport, quote
from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.core.own_access import Writes
from ecr_warden.repair.write_scope import OWNER_LISTS, PARAMETER_BYTES, ROLE_LIST, filled
from ecr_warden_cli.deployment.fields import DEPLOYMENT, TAG_SIGNS
from ecr_warden_cli.deployment.stacks import stacks_of
from ecr_warden_cli.deployment.wanted import DEFAULT_FILE, Deployment, MemberAccount, Organization
from ecr_warden_cli.terminal.context import Context, Failure
from ecr_warden_cli.terminal.inputs import A_DEPLOYMENT, SpecInvalid, check_kind, name_of, read_file
from iam_access.arn import ACCOUNT_ID, iam_arn

MAX_BYTES = 256 * 1024
MAX_ACCOUNTS = 120
"""Whose IDs fit into the rule of the hub (docs/supported.md)."""
MAX_TAGS = 45
"""AWS allows 50 of a resource, and gives some of its own."""
_TAG = re.compile(rf"(?!aws:|ecr-warden){TAG_SIGNS}{{1,128}}", re.IGNORECASE)
_OF_UNITS = ("account", "regions", "writes", "owners")
_NEEDED = ("account", "writes")
_UNREADABLE = f"give the path of the deployment's file; ecr-warden init writes {DEFAULT_FILE}"


class DeploymentInvalid(SpecInvalid, code="deployment-invalid"):
    """The deployment's file has errors; `lines` are its problems as people read them."""


def load_deployment(path: str, context: Context) -> Deployment:
    """Read and check ecr-warden.yaml; raises Failure. What is only doubtful is said on stderr."""
    data = read_file(path, context.stdin, MAX_BYTES, code="deployment-unreadable", remedy=_UNREADABLE)
    if len(data) > MAX_BYTES:
        raise Failure(
            f"{name_of(path)} has more than {MAX_BYTES} bytes", code="deployment-unreadable", remedy=_UNREADABLE
        )
    return deployment_in(data, path, context)


def deployment_in(data: bytes, path: str, context: Context) -> Deployment:
    """What the text of the file says, which was read from `path`; raises DeploymentInvalid."""
    report = ProblemReport()
    tree = parse_text(data, report)
    root = None if tree is None else check_shape(tree, DEPLOYMENT, report)
    found = _deployment(root, report) if isinstance(root, Fields) else None
    if found is not None and isinstance(root, Fields) and not report.has_errors:
        _check_lists(found, root, report)
    if found is None or report.has_errors:
        check_kind(data, path, A_DEPLOYMENT)
        raise DeploymentInvalid(name_of(path), report.sorted())
    for warning in report.sorted():
        context.console.note(warning.at(name_of(path)))
    return found


def _deployment(root: Fields, report: ProblemReport) -> Deployment:
    """What the file says; of what did not fit, and was reported, nothing."""
    accounts = build_accounts(root, report)
    hub, alerts, given = root.fields("hub"), root.fields("alerts"), root.fields("parameters")
    members = tuple(
        _member(account, root.fields("accounts").fields(account.alias), report)
        for account in accounts.by_alias.values()
    )
    if len(members) > MAX_ACCOUNTS and "organization" not in root.keys:
        report.add(
            Code.NOT_SUPPORTED,
            root.place_of("accounts"),
            f"{len(members)} accounts; without organization: {MAX_ACCOUNTS} fit into the rules of the hub",
            remedy="add organization: {id: ID}",
        )
    organization = (
        _organization(root.fields("organization"), accounts, report) if "organization" in root.values else None
    )
    is_empty = "accounts" in root.values and not root.fields("accounts").keys
    if is_empty and (organization is None or not organization.units):
        report.add(
            Code.EMPTY_VALUE,
            root.place_of("accounts"),
            "no account is a member",
            remedy="add an account, or units: to organization:",
        )
    return Deployment(
        hub_account=_account(hub.text("account"), accounts, report),
        hub_region=next(iter(build_regions(tuple(filter(None, [hub.text("region")])), report, strict=True)), ""),
        members=members,
        organization=organization,
        email=_text(alerts, "email"),
        webhook=_text(alerts, "webhook"),
        pagerduty=_text(alerts, "pagerduty"),
        schedule=_text(root, "schedule"),
        role_boundary=_text(root, "role_boundary"),
        assume_role=_text(root, "assume_role"),
        tags=_tags(root.fields("tags"), report),
        parameters={name: _text(given, name) for name in given.values},
    )


def _member(account: SpecAccount, entry: Fields, report: ProblemReport) -> MemberAccount:
    owners, roles = _texts(entry, "owners"), _texts(entry, "roles")
    _check_room("owners", [iam_arn(account.id, one) for one in owners], OWNER_LISTS, entry, report)
    _check_room("roles", [iam_arn(account.id, one) for one in roles], (ROLE_LIST,), entry, report)
    return MemberAccount(
        account.alias, account.id, account.regions, Writes(_text(entry, "writes") or Writes.NONE), owners, roles
    )


def _check_room(name: str, arns: Sequence[str], lists: Sequence[str], entry: Fields, report: ProblemReport) -> None:
    if {*arns} - {arn for _, placed in filled({}, lists, arns) for arn in placed}:
        report.add(
            Code.NAME_TOO_LONG,
            entry.place_of(name),
            f"more {name} than the parameters of the member stack hold",
            remedy="name an IAM path, such as user/ci/*",
        )


def _organization(entry: Fields, accounts: SpecAccounts, report: ProblemReport) -> Organization:
    units, owners = _texts(entry, "units"), _texts(entry, "owners")
    _check_room("owners", [iam_arn("*", one) for one in owners], OWNER_LISTS, entry, report)
    given = [name for name in _OF_UNITS if name in entry.keys]
    if given and "units" not in entry.keys:
        message, remedy = f"an organization with {', '.join(given)} has no units", "add units:, or remove the others"
        report.add(Code.MISSING_FIELD, entry.place_of(given[0]), message, remedy=remedy)
    lacks = [name for name in _NEEDED if name not in entry.keys]
    if lacks and "units" in entry.keys:
        message, remedy = f"an organization with units has no {lacks[0]}", f"add {lacks[0]}: beside units:"
        report.add(Code.MISSING_FIELD, entry.place, message, remedy=remedy)
    return Organization(
        _text(entry, "id"),
        _account(entry.text("account"), accounts, report),
        units,
        build_regions(entry.texts("regions"), report),
        Writes(_text(entry, "writes") or Writes.NONE),
        owners,
    )


def _check_lists(found: Deployment, root: Fields, report: ProblemReport) -> None:
    """No parameter of a stack has more than CloudFormation takes, which would say so in the middle of a deployment."""
    for stack in stacks_of(found, ""):
        for name, value in stack.parameters.items():
            if (size := len(value.encode())) > PARAMETER_BYTES:
                report.add(
                    Code.NAME_TOO_LONG,
                    root.place_of("accounts" if name == "OwnStacks" else "organization"),
                    f"{name} of the stack {stack.place.name} would have {size} of {PARAMETER_BYTES} bytes",
                    remedy=_SHORTER,
                )


_SHORTER = "name fewer; what has no stacks of its own may be in the units of organization:"


def _account(name: Scalar | None, accounts: SpecAccounts, report: ProblemReport) -> str:
    """The ID of an account by its alias, or by its ID; "" if it is unknown."""
    if name is not None and ACCOUNT_ID.fullmatch(name.text):
        return name.text
    found = accounts.referred(name, report)
    return "" if found is None else found.id


def _tags(tags: Fields, report: ProblemReport) -> Mapping[str, str]:
    for name, place in tags.keys.items():
        if not _TAG.fullmatch(name):
            report.add(
                Code.NOT_ONE_OF,
                place,
                f"{quote(name)} is not a name for a tag",
                remedy="use letters, digits and _.:/=+-@, at most 128, and begin with neither aws: nor ecr-warden",
            )
    if len(tags.keys) > MAX_TAGS:
        report.add(
            Code.NOT_SUPPORTED, tags.place, f"{len(tags.keys)} tags; AWS allows {MAX_TAGS} beside its own and ours"
        )
    return {name: _text(tags, name) for name in tags.values}


def _text(entry: Fields, name: str) -> str:
    value = entry.text(name)
    return "" if value is None else value.text


def _texts(entry: Fields, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.text for value in entry.texts(name)))
