"""Who is asked about: everybody in an inventory, and whom the principals in documents mean."""

from collections.abc import Callable, Iterator, Sequence
from copy import replace

from iam_access.arn import iam_arn
from iam_access.document.document import Document, Effect, Statement
from iam_access.document.principal import ANYONE, ROLES_ANYWHERE, WEB_PROVIDERS, Principal
from iam_access.evaluate.request_principal import CallerKind, RequestPrincipal, parse_request_principal, principal_named
from iam_access.evaluate.statement_match import action_matches
from iam_access.gather import gather
from iam_access.inventory.inventory import Inventory, Policy, Unread
from iam_access.once import once
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.candidates import AllowedSubjects, Candidates
from iam_access.who_can.decide import Permission, Resource
from iam_access.who_can.entering import unread_account
from iam_access.who_can.federating import OPENING
from iam_access.who_can.ours import acts_for_others
from iam_access.who_can.subject import (
    ANY_ACCOUNT,
    ANY_SERVICE,
    SERVICE_KEYS,
    Subject,
    as_session,
    of_none,
    outside_subject,
    root_of,
    subject_of,
)

# The accounts that a document names beside `*`: of more, each condition would take too many steps.
_MOST_NAMED = 16
_OF_SERVICES = frozenset({*SERVICE_KEYS, "aws:principalisawsservice"})
_BY_TOKEN = ("sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")


class SubjectDirectory:
    """Everybody in an inventory, and whom the principals in documents mean.

    `seen_as`: what is asked about in place of each subject, for example with keys left open that the inventory decides.
    """

    def __init__(self, inventory: Inventory, seen_as: Callable[[Subject], Subject] = lambda subject: subject) -> None:
        self.inventory = inventory
        self._seen_as = seen_as
        self.subjects = {identity.arn: seen_as(subject_of(identity, inventory)) for identity in inventory.identities()}
        self._by_account = gather((str(one.principal.account), one) for one in self.subjects.values())
        self.roles = [subject for subject in self.subjects.values() if subject.is_role]
        self._candidates: dict[str, Candidates] = {}

    def identities_of(self, account: str) -> Sequence[Subject]:
        """The users and roles in an account."""
        return self._by_account.get(account, ())

    def subject(self, arn: str) -> Subject:
        """The subject with this ARN: in the inventory, a session of one of its roles, or one of which nothing was read.

        Raises RequestError for a text that is no principal's ARN.
        """
        found = self.subjects.get(arn)
        if found is not None:
            return found
        principal = parse_request_principal(arn)
        account = principal.account
        if account is None or account not in self.inventory.accounts:
            return self._outside(principal, is_class=False)
        if principal.kind is CallerKind.ROOT:
            return self._seen_as(root_of(principal, self.inventory))
        if principal.kind is CallerKind.SESSION:
            for subject in self._by_account.get(account, ()):
                if subject.is_role and subject.principal.name == principal.name:
                    return as_session(subject, principal)
        return self._outside(principal, is_class=False)

    def _outside(self, principal: RequestPrincipal, *, is_class: bool) -> Subject:
        return self._seen_as(outside_subject(principal, self.inventory, is_class=is_class))

    def exists(self, subject: Subject) -> bool:
        """False if the subject is known not to exist; anybody may exist in an account that was not read."""
        account = self.inventory.accounts.get(subject.principal.account or "")
        is_named = subject.principal.kind in (CallerKind.USER, CallerKind.ROLE, CallerKind.SESSION)
        if subject.principal.kind is CallerKind.FEDERATED:
            return self._has_provider(subject.principal)
        return not (is_named and account is not None and account.is_listed and subject.identity is None)

    def anybody_unread(self, account: str) -> Subject:
        """Anybody in an account whose users and roles were not read: their own policies may allow everything."""
        own = (unread_account(account, self.inventory),)
        return replace(self._class_of(account), policies=own, presumed_allowed=False)

    def is_listed(self, account: str | None) -> bool:
        """Were all users and roles of an account read?"""
        known = self.inventory.accounts.get(account or "")
        return known is not None and known.is_listed

    def may_allow(self, subject: Subject, action: str, resource: str | None = None) -> bool:
        """Could a subject's own policies allow an action, on this resource or on any?"""
        return self.allowing(action).allows(subject, resource)

    def allowing(self, action: str) -> Candidates:
        """Those whose own policies could allow an action."""
        return once(self._candidates, action, lambda: Candidates(action, self.subjects.values()))

    def meant_by(
        self,
        policy: Policy,
        permission: Permission,
        allowed: AllowedSubjects,
        *,
        services: bool,
        all_of: str | None = None,
    ) -> Iterator[Subject]:
        """Whom a resource policy's Allow statements could mean; in other accounts, only those in `allowed`.

        `all_of`: the account in which `*` means everybody, if it is not the resource's.
        """
        all_of = permission.resource.account if all_of is None else all_of
        document = policy.document
        if not isinstance(document, Document):
            yield from self._anybody(all_of, allowed)
            return
        for statement in document.statements:
            if statement.principals is None:
                continue
            if statement.effect is Effect.DENY:
                yield from self._spared_by(statement, permission.resource, allowed, services=services)
                continue
            # A trust policy has an action for each kind of principal, and no others.
            if not permission.resource.trust and not action_matches(statement.actions, permission.action):
                continue
            if statement.principals.negated or any(value.value == "*" for value in statement.principals.values):
                yield from self._by_other_ways(statement, permission.resource)
            acts = services or acts_for_others(statement, str(permission.resource.account))
            if statement.principals.negated or ANYONE in statement.principals.values:
                yield from self._anybody(all_of, allowed, document)
            for principal in () if statement.principals.negated else statement.principals.values:
                yield from self._named_by(principal, allowed, services=acts)

    def _spared_by(
        self, statement: Statement, resource: Resource, allowed: AllowedSubjects, *, services: bool
    ) -> Iterator[Subject]:
        """Whom a Deny keeps out less than a class that is let in: by NotPrincipal, or services by its conditions."""
        for principal in statement.principals.values if statement.principals and statement.principals.negated else ():
            yield from self._named_by(principal, allowed, services=services)
            root = principal_named(principal.value)
            is_root = root is not None and root.kind is CallerKind.ROOT and not resource.trust
            if root is not None and is_root and root.account not in self.inventory.accounts:
                yield self.subject(root.text)
        if services and any(ascii_lower(condition.key) in _OF_SERVICES for condition in statement.conditions):
            yield self._outside(parse_request_principal(ANY_SERVICE), is_class=True)

    def _named_by(self, principal: Principal, allowed: AllowedSubjects, *, services: bool) -> Iterator[Subject]:
        named = principal_named(principal.value)
        if named is None:
            return
        account = named.account
        match named.kind:
            case CallerKind.ROOT:
                yield from self._anybody_of(str(account), named.partition, allowed)
            case CallerKind.SERVICE:
                if services or named.text == ROLES_ANYWHERE:
                    yield self._outside(named, is_class=True)
            case CallerKind.FEDERATED:
                provider = self._outside(named, is_class=True)
                if self.exists(provider):
                    yield provider
            case CallerKind.FEDERATED_USER if self.is_listed(account):
                # Whoever opens the session.
                yield from (one for one in self.allowing(OPENING).of(principal.value).of(account) if not one.is_role)
            case CallerKind.USER | CallerKind.ROLE | CallerKind.SESSION | CallerKind.FEDERATED_USER:
                subject = self.subject(principal.value)
                if self.exists(subject):
                    yield self.subjects[subject.identity.arn] if subject.identity else subject
            case _:
                pass

    def _by_other_ways(self, statement: Statement, resource: Resource) -> Iterator[Subject]:
        """Whom `*` means besides users and roles: whoever has a token, and services that act for somebody.

        Where whoever has an account is let in anyway, these are nobody more.
        """
        is_of_services = any(ascii_lower(condition.key) in _OF_SERVICES for condition in statement.conditions)
        if acts_for_others(statement, str(resource.account)) if resource.trust else is_of_services:
            yield self._outside(parse_request_principal(ANY_SERVICE), is_class=True)
        if not resource.trust:
            return
        account = self.inventory.accounts.get(str(resource.account))
        known = account.providers if account is not None and not isinstance(account.providers, Unread) else ()
        issuers = [ascii_lower(condition.key.partition(":")[0]) for condition in statement.conditions]
        is_for_tokens = any("." in issuer or issuer == "saml" for issuer in issuers)
        if action_matches(statement.actions, "sts:AssumeRole") and not is_for_tokens:
            return
        if any(action_matches(statement.actions, one) for one in _BY_TOKEN):
            saml = account.saml if account is not None and account.saml else ()
            for name in (*sorted(WEB_PROVIDERS), *known, *sorted(saml)):
                yield self._outside(parse_request_principal(name), is_class=True)

    def _anybody(
        self, account: str | None, allowed: AllowedSubjects, document: Document | None = None
    ) -> Iterator[Subject]:
        """Everybody whom `*` could mean: all in an account, elsewhere those whose own policies allow it.

        Anyone else is in none of the accounts that were read, as far as the document tells accounts apart.
        """
        yield from self._by_account.get(account or "", ())
        yield from allowed.everywhere()
        text = f"{account} {document.text if document is not None else ''}"
        named = [one.id for one in self.inventory.accounts.values() if one.is_listed and one.id in text]
        anyone = self._class_of(ANY_ACCOUNT)
        yield anyone if len(named) > _MOST_NAMED else replace(anyone, always=(*anyone.always, *of_none(named)))

    def _anybody_of(self, account: str, partition: str, allowed: AllowedSubjects) -> Iterator[Subject]:
        known = self.inventory.accounts.get(account)
        yield from allowed.of(account)
        if known is None or not known.is_listed:
            yield self._class_of(account, partition)

    def _class_of(self, account: str, partition: str = "aws") -> Subject:
        arn = iam_arn(account, "user/anyone", partition)
        return self._outside(RequestPrincipal(CallerKind.USER, arn, account, partition, "anyone"), is_class=True)

    def _has_provider(self, provider: RequestPrincipal) -> bool:
        account = self.inventory.accounts.get(provider.account or "")
        if account is None or provider.account is None:
            return True
        known = account.saml if ":saml-provider/" in provider.text else account.providers
        return known is None or isinstance(known, Unread) or provider.text in known
