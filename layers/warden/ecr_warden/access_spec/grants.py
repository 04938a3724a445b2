"""`repositories:`: who may pull and push."""

import re
from collections.abc import Iterable, Iterator, Sequence
from copy import replace
from datetime import datetime

from ecr_warden.access_spec.accounts import Organizations, SpecAccounts, narrowed
from ecr_warden.access_spec.check_shape import Fields, Items, Value
from ecr_warden.access_spec.federation import build_github, build_oidc, build_permission_set, build_pods
from ecr_warden.access_spec.limits import build_limits
from ecr_warden.access_spec.nodes import Scalar
from ecr_warden.access_spec.principals import Directory, check_iam_name
from ecr_warden.access_spec.problems import Code, Place, ProblemReport, quote
from ecr_warden.access_spec.render import READ_ACTIONS
from ecr_warden.access_spec.spec import (
    ByCondition,
    Puller,
    PullGrant,
    PullScope,
    Pusher,
    PushGrant,
    SpecAccount,
    SpecOrganization,
    SpecRepository,
    SpecService,
    WholeAccount,
)
from ecr_warden.core.desired import ForeignStatement, Mode
from ecr_warden.core.target import RepositoryTarget, RoleTarget, is_repository_name
from iam_access.document.pattern import patterns_meet
from iam_access.gather import gather

_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com")
_SOURCE = re.compile(r"arn:aws:[a-z0-9-]+:[a-z0-9*-]*:([0-9]{12}):[!-~]+")


# The registry address that docker takes before the name. ECR also accepts it as a name, which is never intended.
_REGISTRY = re.compile(r"[0-9]{12}\.dkr[.-]ecr\.")


def build_repository(entry: Fields, directory: Directory, now: datetime) -> SpecRepository | None:
    """One item of `repositories:`; None if its account or one of its names is unknown."""
    report = directory.report
    account = directory.accounts.referred(entry.text("account"), report)
    names = _names(entry, report)
    excluded = _excluded(entry, next(iter(names), None), report)
    pull = _pull(entry, directory, now)
    push = [_push(item, account, directory, now) for item in entry.all("push")]
    if account is None or not names:
        return None
    regions = narrowed(account, directory.accounts, entry, report)
    targets = tuple(RepositoryTarget(account.id, region, name) for name in names for region in regions)
    scope, mode = entry.text("pull_scope"), entry.text("mode")
    foreign = ((ForeignStatement(name.text), name.place) for name in entry.texts("foreign_statements"))
    pullers = (grant.puller for grant in pull)
    if excluded and any(isinstance(one, ByCondition) and one.account == account.id for one in pullers):
        report.add(
            Code.NOT_SUPPORTED,
            entry.place_of("pull"),
            "a permission set or pods of the repositories' own account at a pattern with except: is not supported",
            remedy="name each repository: their own policy alone would let them pull what except: excludes",
        )
    return SpecRepository(
        targets=targets,
        excluded=excluded,
        pull=pull,
        push=tuple(grant for grant in push if grant is not None),
        pull_scope=PullScope.REPOSITORY if scope is None else PullScope(scope.text),
        foreign=tuple(sorted(report.each_once(foreign))),
        mode=account.mode if mode is None else Mode(mode.text),
        place=entry.place_of("name"),
    )


def _names(entry: Fields, report: ProblemReport) -> tuple[str, ...]:
    """The names of an entry, or its pattern; none if one of them is reported."""
    one = entry.text("name")
    found: dict[str, None] = {}
    for item in entry.texts("name") if one is None else (one,):
        if one is None and "*" in item.text:
            report.add(
                Code.NOT_SUPPORTED,
                item.place,
                f"the pattern {quote(item.text)} in a list of names",
                remedy="give it an entry of its own",
            )
            return ()
        name = repository_name(item, report, pattern=True)
        if name is None:
            return ()
        if name in found:
            report.add(Code.LISTED_TWICE, item.place, f"{quote(name)} is listed twice")
        found[name] = None
    return tuple(found)


def _pull(entry: Fields, directory: Directory, now: datetime) -> tuple[PullGrant, ...]:
    """Who may pull."""
    report = directory.report
    found: dict[Puller, PullGrant] = {
        principal: PullGrant(principal, place=at) for principal, at in directory.resolve(entry.texts("pull")).items()
    }
    listed = {name.text for name in entry.texts("pull")}
    for grant in entry.all("pull"):
        limits = build_limits(grant, now, report)
        reads = _reads(grant, report)
        names = grant.texts("by")
        for name in names:
            if name.text in listed:
                report.add(Code.LISTED_TWICE, name.place, f"{quote(name.text)} is listed twice")
        listed.update(name.text for name in names)
        pullers: list[Puller] = [*directory.resolve(names)]
        for wide in grant.all("by") if "by" in grant.keys else (grant,):
            puller = _puller(wide, directory)
            if puller in pullers or (puller in found and found[puller].limits == limits):
                report.add(Code.LISTED_TWICE, wide.place, f"{puller} is listed twice")
            pullers += [] if puller is None else [puller]
        for puller in pullers:
            known = found.get(puller)
            if known is not None and known.limits != limits:
                report.add(Code.TWO_LIMITS, grant.place, f"{puller} is named with other limits before")
            imports = grant.flag("upstream") or (known is not None and known.importing)
            also = reads | set(() if known is None else known.reads)
            at = grant.place if known is None else known.place
            found[puller] = PullGrant(puller, limits, imports, tuple(sorted(also)), at)
    return tuple(found.values())


def _reads(grant: Fields, report: ProblemReport) -> set[str]:
    """The actions beside pulling that a grant's repository policy allows; each must only read."""
    found: set[str] = set()
    for action in grant.texts("reads"):
        if action.text not in READ_ACTIONS:
            hint = report.hint(action.text, READ_ACTIONS)
            report.add(Code.READ_ACTION, action.place, f"{quote(action.text)} is not an action that only reads{hint}")
        elif action.text in found:
            report.add(Code.LISTED_TWICE, action.place, f"{action.text} is listed twice")
        else:
            found.add(action.text)
    return found


def _puller(entry: Fields, directory: Directory) -> Puller | None:
    """A whole account, a service, an organization, a permission set or pods."""
    accounts, report = directory.accounts, directory.report
    if "sso" in entry.keys:
        return build_permission_set(entry.fields("sso"), accounts, report)
    if "pods" in entry.keys:
        return build_pods(entry.fields("pods"), accounts, report)
    if "service" in entry.keys:
        return _service(entry.text("service"), entry.text("source"), accounts, report)
    if "organization" in entry.keys:
        return _organization(entry.text("organization"), directory.organizations, report)
    account = accounts.referred(entry.text("account"), report)
    return None if account is None else WholeAccount(account.id)


def _organization(name: Scalar | None, organizations: Organizations, report: ProblemReport) -> SpecOrganization | None:
    if name is None:
        return None
    if name.text not in organizations.aliases and not organizations.unread:
        hint = report.hint(name.text, organizations.aliases)
        report.add(
            Code.UNKNOWN_ORGANIZATION,
            name.place,
            f"unknown organization {quote(name.text)}{hint}",
            remedy="" if hint else None,
        )
    identifier = organizations.by_alias.get(name.text)
    return None if identifier is None else SpecOrganization(identifier)


def _service(
    name: Scalar | None, source: Scalar | None, accounts: SpecAccounts, report: ProblemReport
) -> SpecService | None:
    if name is not None and not _SERVICE.fullmatch(name.text):
        report.add(Code.SERVICE, name.place, f"{quote(name.text)} is not an AWS service")
        name = None
    if source is None:
        return None
    account, arn = _source(source, accounts, report)
    return None if name is None or account is None else SpecService(name.text, account, arn)


def _source(source: Scalar, accounts: SpecAccounts, report: ProblemReport) -> tuple[str | None, str | None]:
    """The account that a service must act for, and the ARN of its resource if given."""
    if not source.text.startswith("arn:"):
        account = accounts.referred(source, report)
        return (None if account is None else account.id), None
    match = _SOURCE.fullmatch(source.text)
    if match is None:
        report.add(Code.SOURCE, source.place, f"{quote(source.text)} does not name an account's resources")
        return None, None
    if accounts.with_id(match[1]) is None:
        report.add(
            Code.FOREIGN_PRINCIPAL, source.place, f"{quote(source.text)} is in an account that is not under accounts:"
        )
        return None, None
    return match[1], source.text


def _excluded(entry: Fields, name: str | None, report: ProblemReport) -> tuple[str, ...]:
    """What a pattern excludes; each exception must match it, because a mistyped one would grant access."""
    if "except" in entry.keys and name is not None and "*" not in name:
        report.add(
            Code.EXCEPT_WITHOUT_PATTERN, entry.place_of("except"), f"except: at {quote(name)}, which is not a pattern"
        )
        return ()
    found: dict[str, None] = {}
    for item in entry.texts("except"):
        excluded = repository_name(item, report, pattern=True)
        if excluded is None or name is None:
            continue
        if excluded in found:
            report.add(Code.LISTED_TWICE, item.place, f"{quote(excluded)} is listed twice")
        elif not patterns_meet(name, excluded):
            report.add(Code.EXCEPT_OUTSIDE, item.place, f"no name matches both {quote(name)} and {quote(excluded)}")
        found[excluded] = None
    return tuple(sorted(found))


def repository_name(name: Scalar | None, report: ProblemReport, *, pattern: bool = False) -> str | None:
    """A name that ECR would accept, or a pattern of such names; others are reported."""
    if name is None:
        return None
    if "?" in name.text or ("*" in name.text and not pattern):
        what = "a ?" if "?" in name.text else "a pattern"
        message = f"{what} in a repository name is not supported in this version"
        report.add(Code.NOT_SUPPORTED, name.place, message, remedy="name each repository")
    elif not is_repository_name(name.text.replace("*", "aa")):
        report.add(Code.REPOSITORY_NAME, name.place, f"{quote(name.text)} is not a repository name")
    else:
        if _REGISTRY.match(name.text):
            message = f"{quote(name.text)} begins like a registry address"
            report.add(Code.REGISTRY_IN_NAME, name.place, message)
        return name.text
    return None


def _push(entry: Fields, account: SpecAccount | None, directory: Directory, now: datetime) -> PushGrant | None:
    role = entry.text("role")
    by = _pushers(entry, directory)
    limits = build_limits(entry, now, directory.report)
    seconds = entry.text("max_session_duration")
    duration = None if seconds is None else int(seconds.text)
    if role is None or not check_iam_name(role.text, role.place, "role", directory.report) or account is None:
        return None
    return PushGrant(RoleTarget(account.id, role.text), by, limits, duration, pull=entry.flag("pull"), place=role.place)


def with_named_roles(entries: Sequence[Fields]) -> Iterator[Fields]:
    """The entries; a push role by its name alone, as an accepted version may have it, as where its `by` stands."""
    given = gather(
        (_words(entry.text("account"), push.text("role")), push) for entry in entries for push in entry.all("push")
    )
    for entry in entries:
        push_grants: list[Value] = [*entry.all("push")]
        for name in entry.texts("push"):
            pushes = given.get(_words(entry.text("account"), name), ())
            push_grants += [replace(push, values={**push.values, "role": name}) for push in pushes]
        yield replace(entry, values={**entry.values, "push": Items(entry.place, tuple(push_grants))})


def _words(*scalars: Scalar | None) -> tuple[str, ...]:
    return tuple("" if scalar is None else scalar.text for scalar in scalars)


def _pushers(entry: Fields, directory: Directory) -> tuple[Pusher, ...]:
    """Who may assume a push role."""
    of_names: Iterable[tuple[Pusher, Place]] = directory.resolve(entry.texts("by")).items()
    others = ((_pusher(item, directory), item.place) for item in entry.all("by"))
    found = ((pusher, place) for pusher, place in others if pusher is not None)
    return directory.report.each_once((*of_names, *found))


def _pusher(entry: Fields, directory: Directory) -> Pusher | None:
    """The jobs of a repository or an issuer, pods or a permission set."""
    if "github" in entry.keys:
        return build_github(entry, directory.report)
    if "oidc" in entry.keys:
        return build_oidc(entry, directory.report)
    if "pods" in entry.keys:
        return build_pods(entry.fields("pods"), directory.accounts, directory.report)
    return build_permission_set(entry.fields("sso"), directory.accounts, directory.report)
