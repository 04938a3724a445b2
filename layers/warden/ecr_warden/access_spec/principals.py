"""Who a grant names: users, roles and teams."""

import re
from collections.abc import Mapping

from msgspec import Struct, field

from ecr_warden.access_spec.accounts import Organizations, SpecAccounts, is_name, refuse_cloud
from ecr_warden.access_spec.check_shape import Fields
from ecr_warden.access_spec.nodes import Scalar
from ecr_warden.access_spec.problems import Code, Place, ProblemReport, bare, quote
from ecr_warden.access_spec.shapes import NO_GROUPS
from ecr_warden.access_spec.spec import SpecAccount, SpecPrincipal
from ecr_warden.core.target import IAM_NAME, IdentityTarget, RoleTarget, UserTarget
from iam_access.arn import ACCOUNT_ID, parse_arn
from iam_access.document.principal import IDENTITY_CENTER_NAME, SERVICE_LINKED_NAME

_PATH = re.compile(r"/([!-~]*/)?")
_MAX_PATH = 512
_MAX_NAME = 64
_RESERVED = "ecr-warden-"
_OF_SERVICE_LINKED = "/aws-service-role/"
_OF_IDENTITY_CENTER = "/aws-reserved/"
_WIDE_KINDS = {
    "account": "write {account: ALIAS}, only under pull:",
    "service": "write {service: NAME.amazonaws.com, source: ALIAS}, only under pull:",
    "organization": "write {organization: ALIAS}, only under pull:",
}
_SERVICE_END = ".amazonaws.com"


class Directory(Struct):
    """What entries refer to: resolves principals and teams, and checks that each is written in one way."""

    accounts: SpecAccounts
    organizations: Organizations
    report: ProblemReport
    teams: Mapping[str, tuple[SpecPrincipal, ...]] = field(default_factory=dict)
    teams_unread: bool = False
    places: dict[IdentityTarget, Place] = field(default_factory=dict)
    _spellings: dict[str, tuple[str, Place]] = field(default_factory=dict)

    def define_teams(self, root: Fields) -> None:
        """Resolve `teams:`; a broken team is known, but empty."""
        entries, self.teams_unread = root.fields("teams"), root.unread("teams")
        for name, place in entries.keys.items():
            if not is_name(name):
                self.report.add(Code.ALIAS_NAME, place, f"{quote(name)} is not a valid name for a team")
        self.teams = {name: self._team(entries.texts(name), entries.keys) for name in entries.keys}

    def _team(self, members: tuple[Scalar, ...], names: Mapping[str, Place]) -> tuple[SpecPrincipal, ...]:
        found: dict[SpecPrincipal, Place] = {}
        for member in members:
            if member.text in names:
                self.report.add(
                    Code.NOT_SUPPORTED,
                    member.place,
                    f"a team within a team, {quote(member.text)}, is not supported in this version",
                    remedy="list its principals",
                )
            else:
                self._collect(member, self.principal(member), found)
        return tuple(found)

    def resolve(self, names: tuple[Scalar, ...]) -> Mapping[SpecPrincipal, Place]:
        """The principals that a list of teams and principals names, and where it first names each."""
        found: dict[SpecPrincipal, Place] = {}
        listed: set[str] = set()
        for name in names:
            if name.text in self.teams:
                if name.text in listed:
                    self.report.add(Code.LISTED_TWICE, name.place, f"{quote(name.text)} is listed twice")
                found = found | {one: name.place for one in self.teams[name.text] if one not in found}
            elif ":" in name.text or "*" in name.text or ACCOUNT_ID.fullmatch(name.text):
                principal = self.principal(name)
                if name.text in listed or principal not in found:
                    self._collect(name, principal, found)
            else:
                self.unknown_team(name)
            listed.add(name.text)
        return found

    def unknown_team(self, name: Scalar, *, whole: str = "") -> None:
        """Report a name that is no team's; `whole`: how to write a whole account here."""
        text = name.text
        if text.endswith(_SERVICE_END):
            remedy = _WIDE_KINDS["service"].replace(f"NAME{_SERVICE_END}", bare(text))
            self.report.add(Code.PRINCIPAL, name.place, f"{quote(text)} is not written as a principal", remedy=remedy)
        elif text in self.accounts.aliases:
            message = f"{quote(text)} is an account, not a team"
            remedy = _identities_or(text, whole or _whole(text))
            self.report.add(Code.PRINCIPAL, name.place, message, remedy=remedy)
        elif not self.teams_unread:
            hint = self.report.hint(text, self.teams)
            self.report.add(
                Code.UNKNOWN_TEAM, name.place, f"unknown team {quote(text)}{hint}", remedy="" if hint else None
            )

    def _collect(self, name: Scalar, principal: SpecPrincipal | None, found: dict[SpecPrincipal, Place]) -> None:
        if principal is None:
            return
        if principal in found:
            self.report.add(Code.LISTED_TWICE, name.place, f"{quote(name.text)} is listed twice")
        found.setdefault(principal, name.place)

    def principal(self, name: Scalar) -> SpecPrincipal | None:
        """`alias:user/path/name` or `alias:role/path/name`; anything else is reported."""
        account, rest = self._account(name)
        if account is None:
            return None
        kind, _, path_and_name = rest.partition("/")
        if kind not in ("user", "role") or not path_and_name:
            self._no_principal(name, account, rest)
            return None
        path, _, own_name = path_and_name.rpartition("/")
        path = f"/{path}/" if path else "/"
        if not _PATH.fullmatch(path) or "//" in path or len(path) > _MAX_PATH or path_and_name.startswith("/"):
            self.report.add(Code.IAM_PATH, name.place, f"{quote(path)} is not an IAM path")
            return None
        if not check_iam_name(own_name, name.place, kind, self.report):
            return None
        if kind == "role" and not check_writable(own_name, path, name.place, account, self.report):
            return None
        identity: IdentityTarget = (
            UserTarget(account.id, own_name) if kind == "user" else RoleTarget(account.id, own_name)
        )
        self.places.setdefault(identity, name.place)
        self.spell(identity, name.place, path=path)
        return SpecPrincipal(identity, path)

    def spell(self, identity: IdentityTarget, place: Place, *, path: str) -> None:
        """Remember how a user or role is written; a different way than before is reported."""
        written = path + identity.name
        known, first = self._spellings.setdefault(identity.key, (written, place))
        if known != written:
            both = f"{quote(written[1:])} and {quote(known[1:])} on line {first.line}"
            self.report.add(Code.TWO_SPELLINGS, place, f"{both} are the same {identity.identity_kind}")

    def path_of(self, identity: IdentityTarget) -> str:
        """The path that a user or role was written with so far, or `/`."""
        known, _ = self._spellings.get(identity.key, ("/", None))
        return known[: known.rfind("/") + 1]

    def _account(self, name: Scalar) -> tuple[SpecAccount | None, str]:
        text = name.text
        alias, colon, rest = text.partition(":")
        if text == "*" or rest == "*":
            self.report.add(Code.ANYONE, name.place, f"{quote(text)} matches anyone")
        elif "*" in text or "?" in text:
            message = "a pattern in a principal is not supported in this version"
            self.report.add(Code.NOT_SUPPORTED, name.place, message, remedy="name users and roles")
        elif text.startswith("arn:"):
            self._arn(name)
        elif ACCOUNT_ID.fullmatch(alias):
            self._by_id(name, alias, rest)
        elif not colon:
            alias, _, rest = text.partition("/")
            remedy = (
                f"write {bare(f'{alias}:{rest}')}" if alias in self.accounts.aliases and _is_identity(rest) else None
            )
            self.report.add(Code.PRINCIPAL, name.place, f"{quote(text)} is not a principal", remedy=remedy)
        elif alias in self.accounts.aliases:
            return self.accounts.by_alias.get(alias), rest
        elif alias in _WIDE_KINDS:
            message = f"{quote(text)} is not written as a principal"
            self.report.add(Code.PRINCIPAL, name.place, message, remedy=_WIDE_KINDS[alias])
        else:
            self.accounts.unknown(alias, name.place, self.report)
        return None, ""

    def _arn(self, name: Scalar) -> None:
        arn = parse_arn(name.text)
        if arn is None:
            self.report.add(Code.PRINCIPAL, name.place, f"{quote(name.text)} is not a principal")
        elif arn.partition != "aws":
            refuse_cloud(name.text, name.place, arn.partition, self.report)
        else:
            self._by_id(name, arn.account, arn.resource)

    def _by_id(self, name: Scalar, account_id: str, rest: str) -> None:
        account = self.accounts.with_id(account_id)
        if account is None:
            self.report.add(
                Code.FOREIGN_PRINCIPAL, name.place, f"{quote(name.text)} is in an account that is not under accounts:"
            )
        else:
            self._no_principal(name, account, rest)

    def _no_principal(self, name: Scalar, account: SpecAccount, rest: str) -> None:
        """Report what is in an account and not written as a user or role; `rest`: what follows the account."""
        kind, _, own_name = rest.partition("/")
        if kind == "group":
            remedy = NO_GROUPS
        elif own_name and _is_identity(rest):
            remedy = f"write {quote(f'{account.alias}:{rest}')}"
        else:
            remedy = _identities_or(account.alias, _whole(account.alias))
        self.report.add(Code.PRINCIPAL, name.place, f"{quote(name.text)} is not written as a principal", remedy=remedy)


def _identities_or(alias: str, otherwise: str) -> str:
    return f"write {bare(alias)}:user/NAME or {bare(alias)}:role/NAME, or {otherwise}"


def _whole(alias: str) -> str:
    return f"write {{account: {bare(alias)}}} under pull: for the whole account"


def _is_identity(text: str) -> bool:
    """Whether the text begins like a user or role in an ARN."""
    return text.startswith(("user/", "role/"))


def check_writable(name: str, path: str, place: Place, account: SpecAccount, report: ProblemReport) -> bool:
    """Whether ecr-warden can write the role's policies; a role that only AWS can write is reported.

    Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html and
    https://repost.aws/knowledge-center/identity-center-aws-reserved-sso
    """
    if path.lower().startswith(_OF_SERVICE_LINKED) or name.startswith(SERVICE_LINKED_NAME):
        message = f"{quote(name)} is a service-linked role: only AWS can write its policies"
        remedy = "name a role of your own; for a service that pulls itself, write {service: NAME, source: ALIAS}"
    elif path.lower().startswith(_OF_IDENTITY_CENTER) or name.startswith(IDENTITY_CENTER_NAME):
        message = f"{quote(name)} is a role of IAM Identity Center: only AWS can write its policies"
        remedy = (
            "allow the actions in its permission set, as an inline or customer managed policy; on the repository's "
            f"side, write {{account: {bare(account.alias)}}} to pull; to push, name a user or role of your own"
        )
    else:
        return True
    report.add(Code.NOT_WRITABLE, place, message, remedy=remedy)
    return False


def check_iam_name(name: str, place: Place, what: str, report: ProblemReport, *, longest: int = _MAX_NAME) -> bool:
    """Whether AWS accepts the name of a user, role or policy and ecr-warden does not reserve it; reports."""
    if len(name) > longest:
        report.add(
            Code.NAME_TOO_LONG,
            place,
            f"the {what} name {quote(name)} has {len(name)} characters; at most {longest} are allowed",
        )
    elif not (name and all(IAM_NAME.fullmatch(character) for character in name)):
        alone = name.rpartition("/")[2]
        report.add(
            Code.IAM_NAME,
            place,
            f"{quote(name)} is not a valid {what} name",
            remedy=f"write only the name, without its path: {quote(alone)}" if "/" in name and alone else None,
        )
    elif what == "role" and name.lower().startswith(_RESERVED):
        report.add(Code.RESERVED_NAME, place, f"the role name {quote(name)} is reserved for ecr-warden")
    else:
        return True
    return False
