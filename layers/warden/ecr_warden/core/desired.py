"""The desired state of targets, as the accepted spec defines it."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from copy import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ecr_warden.core.address import Address, repository_policy
from ecr_warden.core.lazy_entries import LazyEntries
from ecr_warden.core.target import RepositoryTarget, Target
from ecr_warden.core.value import Count, Moment, Value, opaque
from iam_access.document.document import Document
from iam_access.document.variables import literal_glob


class Mode(StrEnum):
    """Whether drift is only reported or also repaired."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class Extent(StrEnum):
    """Which live documents of a target belong to ecr-warden besides those that the spec names."""

    WHOLE = "whole"  # every inline and attached policy: of a push role, or where literal documents are exclusive
    OURS = "ours"  # inline policies named ecr-warden-*: of an identity whose other policies ecr-warden leaves alone
    NAMED = "named"  # nothing else: of a repository that has a literal document


class ForeignStatement(StrEnum):
    """A kind of statement that an AWS service adds to a repository policy by itself."""

    LAMBDA_IMAGE_RETRIEVAL = "lambda-image-retrieval"


class RoleSettings(Value, frozen=True):
    """A role's settings besides its documents; `max_session_duration` in seconds."""

    path: str
    max_session_duration: Count
    boundary: str | None


class MustNotExist(Struct, frozen=True):
    """There must be nothing at the address."""


type DesiredValue = Document | RoleSettings | MustNotExist
if TYPE_CHECKING:
    type Documents = Mapping[Address, DesiredValue]
    type WidenAfter = Mapping[Address, tuple[Target, ...]]
    type PatternPolicy = Document | MustNotExist
    type TargetSpecs = Mapping[str, "TargetSpec"]
    type RemovedTargets = Mapping[str, "Removed"]
    type DocumentTakeovers = Mapping[str, Mapping[str, "DocumentTakeover"]]
    type LiteralDocuments = Mapping[str, Mapping[str, Count]]
else:
    Documents, WidenAfter = opaque("Documents", Mapping), opaque("WidenAfter", Mapping)
    PatternPolicy = opaque("PatternPolicy", Document, MustNotExist)
    TargetSpecs = RemovedTargets = DocumentTakeovers = LiteralDocuments = opaque("Entries", Mapping)


class TargetSpec(Value, frozen=True):
    """The desired state of one target, compiled from the spec."""

    target: Target
    extent: Extent
    documents: Documents
    widen_after: WidenAfter = field(default_factory=dict)
    """The roles that must be in sync before the policy at an address may gain access (a user may assume a role only
    once the role itself is in sync)."""
    dependents: tuple[Target, ...] = ()
    """Targets to check again when this one has changed."""
    principals: Mapping[str, Target] = field(default_factory=dict)
    """The ARN of each IAM user or role named in this target's documents, mapped to its own target."""
    foreign: tuple[ForeignStatement, ...] = ()
    """The foreign statements that a repository's policy may contain."""
    may_be_missing: bool = False
    """A target that does not exist is not drift."""
    mode: Mode | None = None
    """Its own; None: the spec's."""
    observed: Documents = field(default_factory=dict)
    """Where grants that are only observed share a document with enforced ones, what it would be with them."""
    given: PatternPolicy | None = None
    """What a policy that must not exist has to be, because any other is somebody else's and stays; None: whatever it
    is. No entry of a compiled spec has it."""
    ends: tuple[Moment, ...] = ()
    """When grants of a push role end whose sessions would go on, because other grants of the role do."""

    @property
    def granted(self) -> Documents:
        """The documents with every grant, also those that are only observed."""
        return {**self.documents, **self.observed}


class LazyTargets(LazyEntries[TargetSpec]):
    """The entries of a compiled spec that is kept elsewhere, with what is known of them without reading them all."""

    __slots__ = ()
    enforces: bool
    """Whether one of them has the mode enforce."""

    @abstractmethod
    def naming(self, identity: str) -> Iterable[TargetSpec]:
        """The targets whose documents name an identity, given by its key."""


class RepositoryPattern(Value, frozen=True):
    """The desired state of every repository of a region whose name matches `name` and none of `excluded`.

    `*` matches any text, including `/`, as in the ARN of a policy's Resource.
    """

    account: str
    region: str
    name: str
    excluded: tuple[str, ...]
    policy: PatternPolicy
    principals: Mapping[str, Target] = field(default_factory=dict)
    foreign: tuple[ForeignStatement, ...] = ()
    mode: Mode | None = None

    @property
    def target(self) -> RepositoryTarget:
        """The pattern as a target, with `name` as its name: for messages and keys; it is no repository itself."""
        return RepositoryTarget(self.account, self.region, self.name)

    @property
    def granted(self) -> Documents:
        """The policy, at the address of the pattern itself."""
        return {repository_policy(self.target): self.policy}

    def covers(self, target: RepositoryTarget) -> bool:
        """Whether the repository matches the pattern."""
        return (
            (self.account, self.region) == (target.account, target.region)
            and literal_glob(self.name).matches(target.name)
            and not any(literal_glob(excluded).matches(target.name) for excluded in self.excluded)
        )

    def spec_of(self, target: RepositoryTarget) -> TargetSpec:
        """The desired state of a repository that matches; it may be deleted at any time."""
        return TargetSpec(
            target,
            Extent.WHOLE,
            {repository_policy(target): self.policy},
            principals=self.principals,
            foreign=self.foreign,
            may_be_missing=True,
            mode=self.mode,
        )


class Removed(Value, frozen=True):
    """A target that has to lose the access that the spec gave it, because version `since` removed it or its account.

    These are repositories, and users and roles in removed accounts; in other accounts a sweep finds them as orphans.
    Once it has lost the access, ecr-warden leaves the target alone.
    """

    target: Target
    since: str
    mode: Mode | None = None
    """The target's own when it was removed."""
    foreign: tuple[ForeignStatement, ...] = ()
    """The foreign statements that a repository's policy keeps."""
    given: PatternPolicy | None = None
    """The policy that the spec gave it."""


class RemovedPattern(Value, frozen=True):
    """Repositories that left a pattern in version `since`: they lose the policy that it gave, and no other.

    Once a sweep has listed them all and found none with that policy, ecr-warden leaves them alone.
    """

    pattern: RepositoryPattern
    """Which they are, and what it gave."""
    since: str

    @property
    def key(self) -> str:
        """Identifies it among all that ever left."""
        return f"{self.pattern.target.key} {self.since}"


class AlsoAllowed(Value, frozen=True, omit_defaults=True):
    """Access that is intended although no grant gives it; it changes no document.

    `account`, `repositories`: where; empty: everywhere; in names of repositories `*` is any text too.
    """

    principals: tuple[str, ...]
    """Account IDs, service names, `*`, and ARNs, in whose parts `*` is any text."""
    reason: str
    access: tuple[str, ...] = ()
    """Pull, push; empty: anything."""
    account: str = ""
    repositories: tuple[str, ...] = ()
    until: Moment | None = None
    """When it is intended no more; None: never."""


class GrantEnd(Value, frozen=True, omit_defaults=True):
    """When a grant ends."""

    until: Moment
    grant: str
    """Who may do what where, in words."""
    role: Target | None = None
    """Its push role, if the other sessions of that end too."""


class DocumentTakeover(Value, frozen=True):
    """That version `since` takes a document over."""

    live: str
    """Its digest when that was judged, empty if it was absent."""
    since: str


class Removal(Value, frozen=True):
    """How many grants a version removed when it was accepted without a person."""

    at: Moment
    grants: Count


class CompiledSpec(Value, frozen=True):
    """An accepted spec in the form that reconcile reads: no YAML, one entry per target, by the target's key.

    What is accepted has its entries kept elsewhere (`LazyEntries`): one run reads a few of them.
    """

    version: str
    mode: Mode
    """Of whatever has none of its own."""
    accounts: tuple[str, ...]
    targets: TargetSpecs
    removed: RemovedTargets = field(default_factory=dict)
    patterns: tuple[RepositoryPattern, ...] = ()
    also_allowed: tuple[AlsoAllowed, ...] = ()
    account_modes: Mapping[str, Mode] = field(default_factory=dict)
    """Of accounts that have their own."""
    removals: tuple[Removal, ...] = ()
    """Of this version and those before it, as far back as they count against the limit."""
    ends: tuple[GrantEnd, ...] = ()
    """Of the grants that have one."""
    removed_patterns: tuple[RemovedPattern, ...] = ()
    """By this version and those before it, the oldest first."""
    taken_over: DocumentTakeovers = field(default_factory=dict)
    """By the target's key and the address as text, the documents that versions take over, until each is rolled out."""
    organizations: tuple[str, ...] = ()
    """IDs."""
    literal: LiteralDocuments = field(default_factory=dict)
    """Of the documents that are literal or have statements beside grants, by the target's key and the address as text,
    how many statements at their end the spec holds word for word."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Of the accounts, by their IDs."""

    @property
    def whole(self) -> "CompiledSpec":
        """The same with every entry at hand."""
        return replace(
            self,
            targets=dict(self.targets),
            removed=dict(self.removed),
            taken_over=dict(self.taken_over),
            literal=dict(self.literal),
        )

    @property
    def with_observed(self) -> "CompiledSpec":
        """The same with every grant in the documents, also with those that are only observed."""
        targets = {key: replace(spec, documents=spec.granted, observed={}) for key, spec in self.targets.items()}
        return replace(self, targets=targets)

    def mode_of(self, target: Target) -> Mode:
        """Whether drift of a target is repaired.

        What the spec no longer names follows its account; otherwise it loses what the spec no longer gives as soon as
        the spec enforces anything, because only enforced grants gave it something.
        """
        named = self.spec_of(target)
        if named is not None:
            return named.mode or self.mode
        removed, left = self.removed.get(target.key), self.pattern_left_by(target)
        its_own = removed.mode if removed is not None else left.pattern.mode if left is not None else None
        return its_own or self.account_modes.get(target.account) or self.overall_mode

    @property
    def overall_mode(self) -> Mode:
        """Enforce if anything is enforced."""
        modes = {self.mode, *(pattern.mode for pattern in self.patterns)}
        return Mode.ENFORCE if Mode.ENFORCE in modes or enforces(self.targets) else Mode.OBSERVE

    def spec_of(self, target: Target) -> TargetSpec | None:
        """The entry of a target that the spec names, or of a repository that matches a pattern."""
        named = self.targets.get(target.key)
        if named is not None or not isinstance(target, RepositoryTarget):
            return named
        return next((pattern.spec_of(target) for pattern in self.patterns if pattern.covers(target)), None)

    def naming(self, identity: Target) -> Iterable[TargetSpec]:
        """The targets whose documents name an identity."""
        if isinstance(self.targets, LazyTargets):
            return self.targets.naming(identity.key)
        return [
            target
            for target in self.targets.values()
            if any(it.key == identity.key for it in target.principals.values())
        ]

    def is_literal(self, address: Address) -> bool:
        """Whether the spec holds a document, or statements of it, word for word."""
        return str(address) in self.literal.get(address.target.key, {})

    def literal_statements(self, address: Address) -> int:
        """How many statements at a document's end the spec holds word for word."""
        return self.literal.get(address.target.key, {}).get(str(address), 0)

    def pattern_left_by(self, target: Target) -> RemovedPattern | None:
        """The last pattern that a repository left, if the spec does not name it now."""
        if not isinstance(target, RepositoryTarget) or target.key in self.removed or not self.removed_patterns:
            return None
        left = (pattern for pattern in reversed(self.removed_patterns) if pattern.pattern.covers(target))
        return next(left, None) if self.spec_of(target) is None else None


def enforces(targets: TargetSpecs) -> bool:
    """Whether one of them has the mode enforce."""
    if isinstance(targets, LazyTargets):
        return targets.enforces
    return any(target.mode is Mode.ENFORCE for target in targets.values())
