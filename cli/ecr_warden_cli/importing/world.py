"""The estate as an import asks it: who is whom, by which name the spec knows them, and what their policies allow."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import replace
from functools import cache, partial
from typing import Any

from ecr_warden.access_spec.accounts import Organizations, SpecAccounts, build_regions
from ecr_warden.access_spec.nodes import Scalar, Tag
from ecr_warden.access_spec.principals import Directory
from ecr_warden.access_spec.problems import Place, ProblemReport
from ecr_warden.access_spec.spec import SpecAccount, SpecPrincipal
from ecr_warden.core.estate import EcrAccount, Estate, Repository
from ecr_warden_cli.importing.outside import OutsidePart, outside_of
from iam_access.arn import partition_of
from iam_access.delta.delta import access_change
from iam_access.document.document import Document, parse_document, policy_size
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import CanonicalStatement, canonical_statements, completed
from iam_access.gather import gather
from iam_access.inventory.inventory import Identity, Policy, PolicyPlace, Unread
from iam_access.once import once
from iam_access.who_can.ours import Ours

_UNIQUE_IDS = ('"AIDA', '"AROA')
_NOWHERE = Place(1, 1)


class World:
    """An estate whose accounts have aliases.

    `ours`: beside these accounts. `accounts`: as the spec will name them; `by_arn`: the users and roles of those that
    could be listed; `outside`: what policies of repositories say for outsiders, by the repository's key.
    """

    def __init__(self, estate: Estate, aliases: Mapping[str, str], ours: Ours) -> None:
        self.estate = estate
        self.accounts = tuple(
            SpecAccount(aliases[account.id], account.id, _regions(account))
            for _, account in sorted(estate.accounts.items())
        )
        self.by_arn = {
            identity.arn: identity for account in complete_accounts(estate) for identity in account.identities.values()
        }
        self._arns = {identity.unique_id: identity.arn for identity in estate.identities() if identity.unique_id}
        ours = replace(ours, accounts=ours.accounts | estate.accounts.keys())
        self._outside_of = cache(partial(outside_of, ours=ours))
        self.outside = {
            repository.target.key: found
            for repository in estate.repositories()
            if (found := self.outside_of(repository.policy, DocumentKind.RESOURCE, repository.target.account))
        }
        self._directory = Directory(
            SpecAccounts(
                {account.alias: account for account in self.accounts},
                {account.alias: _NOWHERE for account in self.accounts},
            ),
            Organizations({}, {}),
            ProblemReport(),
        )
        self._aliases = aliases
        self._statements: dict[str, frozenset[CanonicalStatement]] = {}
        self._adds_nothing: dict[tuple[str, str], bool] = {}

    def alias(self, account: str) -> str:
        return self._aliases[account]

    def registries_of(self, account: str) -> tuple[str, ...]:
        """Patterns of the ARNs of the account's repositories, by region."""
        registries = self.estate.accounts[account].registries.values()
        regions = (registry.region for registry in registries if registry.repositories)
        return tuple(f"arn:{partition_of(region)}:ecr:{region}:{account}:repository/*" for region in regions)

    def principal(self, identity: Identity) -> SpecPrincipal | None:
        """The user or role as a grant names it; None if a grant must not."""
        self._directory.report = ProblemReport()
        text = f"{self.alias(identity.account)}:{identity.arn.split(':', 5)[5]}"
        return self._directory.principal(Scalar(_NOWHERE, text, Tag.TEXT, plain=False))

    def adds_nothing(self, identity: Identity, document: Document) -> bool:
        """Whether the identity's policies already allow everything that one more of them would."""
        key = identity.arn, document.text
        if key not in self._adds_nothing:
            before = once(self._statements, identity.arn, lambda: statements_of(identity))
            change = access_change(before, before | _statements([document]))
            self._adds_nothing[key] = not change.assumed and not change.gained
        return self._adds_nothing[key]

    def document(self, policy: Policy | None) -> Document | Unread | None:
        """The document with the ARNs of users and roles that exist in place of their unique IDs, as AWS shows it."""
        found = policy.document if policy is not None else None
        if not isinstance(found, Document) or not any(one in found.text for one in _UNIQUE_IDS):
            return found
        raw: dict[str, Any] = json.loads(found.text)
        for statement in raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]:
            for element in ("Principal", "NotPrincipal"):
                named = statement.get(element)
                if isinstance(named, dict) and "AWS" in named:
                    values = named["AWS"] if isinstance(named["AWS"], list) else [named["AWS"]]
                    named["AWS"] = [self._arns.get(value, value) for value in values]
        return parse_document(raw)

    def outside_of(self, policy: Policy | None, kind: DocumentKind, account: str) -> OutsidePart | None:
        """What a policy in an account says for outsiders."""
        document = self.document(policy)
        return self._outside_of(document, kind, account) if isinstance(document, Document) else None

    def policy_of(self, repository: Repository) -> Document | Unread | None:
        """A repository's policy as `document` shows it, without what it says for outsiders."""
        outside = self.outside.get(repository.target.key)
        return self.document(repository.policy) if outside is None else outside.rest


def complete_accounts(estate: Estate) -> Iterator[EcrAccount]:
    """The accounts whose users and roles are all known: what one of the others allows, nobody can say."""
    return (account for account in estate.accounts.values() if account.is_listed)


def statements_of(identity: Identity, *, without: Collection[str] = ()) -> frozenset[CanonicalStatement]:
    """What all readable identity policies of a user or role say together; `without`: names of inline policies."""
    left_out = {PolicyPlace(name) for name in without}
    documents = (policy.document for policy in identity.policies if policy.place not in left_out)
    return _statements(document for document in documents if isinstance(document, Document))


def _statements(documents: Iterable[Document]) -> frozenset[CanonicalStatement]:
    kind = DocumentKind.IDENTITY
    return frozenset(
        completed(statement) for document in documents for statement in canonical_statements(document, kind=kind)
    )


def inline_policies(identity: Identity) -> Iterator[tuple[str, Policy]]:
    """The inline policies of a user or role by name, without those of its groups."""
    return (
        (policy.place.inline, policy) for policy in identity.policies if policy.place.inline and not policy.place.group
    )


def inline_size(identity: Identity, *, without: str) -> int:
    """The characters of its inline policies as IAM counts them, but for one by its name."""
    documents = (policy.document for name, policy in inline_policies(identity) if name != without)
    return sum(policy_size(document) for document in documents if isinstance(document, Document))


def repositories_by_name(estate: Estate) -> Mapping[tuple[str, str], tuple[Repository, ...]]:
    """The repositories by account and name: one for each region that has it, sorted."""
    found = gather(((one.target.account, one.target.name), one) for one in estate.repositories())
    return {key: tuple(sorted(found[key], key=lambda one: one.target)) for key in sorted(found)}


def _regions(account: EcrAccount) -> tuple[str, ...]:
    """The account's regions with repositories that a spec can name."""
    report = ProblemReport()
    names = (region for region, registry in sorted(account.registries.items()) if registry.repositories)
    return build_regions(tuple(Scalar(_NOWHERE, name, Tag.TEXT, plain=False) for name in names), report)
