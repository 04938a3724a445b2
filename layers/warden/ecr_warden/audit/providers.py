"""The identity providers whose tokens roles take, and what of them an account lacks.

AWS refuses a token of a provider that the account does not have, and one for an audience that is not among the
provider's client IDs, whatever the trust policy says.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from ecr_warden.core.address import trust_policy
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.target import RoleTarget
from iam_access.arn import parse_arn
from iam_access.document.document import Document, Effect
from iam_access.gather import gather
from iam_access.inventory.inventory import Providers, Unread
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import listed, printable

_MARK = ":oidc-provider/"
_NAMED = 5


class Trust(Struct, frozen=True):
    """A role, by its name, and its trust policy."""

    role: str
    document: Document


class GapKind(StrEnum):
    """What keeps the tokens of a provider from opening a role, or may."""

    MISSING = "missing"  # the account does not have the provider
    AUDIENCE = "audience"  # the provider does not know an audience that the roles ask for
    UNKNOWN = "unknown"  # the account's providers were not read


class ProviderGap(Struct, frozen=True):
    """A provider, by its ARN, that is not there for the roles that trust it."""

    kind: GapKind
    provider: str
    account: str
    roles: tuple[str, ...]
    audiences: tuple[str, ...] = ()
    """Those that the roles ask for, or of an AUDIENCE those that the provider lacks."""
    why: str = ""
    """Of an UNKNOWN."""

    @property
    def issuer(self) -> str:
        """The URL without its scheme."""
        return self.provider.partition(_MARK)[2]

    @property
    def because(self) -> str:
        """What is wrong, and who gets in nowhere for it."""
        name, roles = printable(self.issuer, 200), listed([printable(role) for role in self.roles], _NAMED)
        of_roles = f"role {roles}" if len(self.roles) == 1 else f"roles {roles}"
        match self.kind:
            case GapKind.MISSING:
                lacks = f"the identity provider {name} does not exist in account {self.account}"
                return f"{lacks}: nobody can assume {of_roles} with its tokens"
            case GapKind.AUDIENCE:
                audiences = listed([printable(audience, 160) for audience in self.audiences], _NAMED)
                lacks = f"the identity provider {name} in account {self.account} lacks the audience {audiences}"
                return f"{lacks}: nobody can assume {of_roles} with a token for it"
            case GapKind.UNKNOWN:
                unknown = f"whether the identity provider {name} exists in account {self.account} is unknown"
                return f"{unknown} ({printable(self.why, 160)}): {of_roles} cannot do without it"

    @property
    def commands(self) -> tuple[str, ...]:
        """What closes the gap, in its account; of an UNKNOWN what shows whether there is one."""
        provider = f"--open-id-connect-provider-arn {shlex.quote(printable(self.provider, 300))}"
        audiences = [shlex.quote(printable(audience, 255)) for audience in self.audiences]
        match self.kind:
            case GapKind.MISSING:
                url = shlex.quote(f"https://{printable(self.issuer, 255)}")
                clients = f" --client-id-list {' '.join(audiences)}" if audiences else ""
                return (f"aws iam create-open-id-connect-provider --url {url}{clients}",)
            case GapKind.AUDIENCE:
                add = f"aws iam add-client-id-to-open-id-connect-provider {provider}"
                return tuple(f"{add} --client-id {audience}" for audience in audiences)
            case GapKind.UNKNOWN:
                return (f"aws iam get-open-id-connect-provider {provider}",)

    @property
    def remedy(self) -> str:
        """The commands in one line."""
        return f"in account {self.account}: {' && '.join(self.commands)}"


def trusts_of(compiled: CompiledSpec) -> Iterator[Trust]:
    """The roles of the spec whose trust policies it writes."""
    for spec in compiled.targets.values():
        if isinstance(spec.target, RoleTarget):
            document = spec.granted.get(trust_policy(spec.target))
            if isinstance(document, Document):
                yield Trust(spec.target.name, document)


def gaps(trusts: Iterable[Trust], known: Mapping[str, Providers | Unread]) -> tuple[ProviderGap, ...]:
    """What is lacking, or unknown, of the providers that roles trust; `known`: the providers of each account."""
    of_providers = gather(((account, provider), (role, asked)) for role, account, provider, asked in _wanted(trusts))
    found: list[ProviderGap] = []
    for (account, provider), asking in sorted(of_providers.items()):
        trusting = tuple(dict.fromkeys(role for role, _ in asking))
        by_audience = gather((one, role) for role, asked in asking for one in asked)
        wanted = tuple(sorted(by_audience))
        match known.get(account, Unread("identity providers", "not read")):
            case Unread(why=why):
                found.append(ProviderGap(GapKind.UNKNOWN, provider, account, trusting, wanted, why))
            case providers if provider not in providers:
                found.append(ProviderGap(GapKind.MISSING, provider, account, trusting, wanted))
            case providers:
                served = providers[provider]
                found += [
                    ProviderGap(GapKind.AUDIENCE, provider, account, tuple(dict.fromkeys(some)), (audience,))
                    for audience, some in sorted(by_audience.items())
                    if served is not None and audience not in served
                ]
    return tuple(found)


def _wanted(trusts: Iterable[Trust]) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """(role, account, provider, audiences) of each statement that lets in whoever has a token of a provider."""
    for trust in trusts:
        for statement in trust.document.statements:
            principals = statement.principals
            if statement.effect is not Effect.ALLOW or principals is None or principals.negated:
                continue
            for principal in principals.values:
                arn = parse_arn(principal.value)
                if principal.kind == "Federated" and arn is not None and _MARK in principal.value:
                    key = ascii_lower(f"{principal.value.partition(_MARK)[2]}:aud")
                    audiences = (
                        value
                        for clause in statement.conditions
                        if clause.operator == "StringEquals" and ascii_lower(clause.key) == key
                        for value in clause.values
                    )
                    yield trust.role, arn.account, principal.value, tuple(audiences)
