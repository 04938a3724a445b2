"""What is said of a path that the spec does not give: whether it is intended, foreign, and the finding for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import replace
from functools import lru_cache
from hashlib import sha256

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.also_allowed import covers
from ecr_warden.audit.answer_texts import AllowingStatement, because_of, named, unread_text
from ecr_warden.audit.finding import ANYONE, MEMBERS, Certainty, Finding, FindingKind, Half
from ecr_warden.audit.outsiders import Whom, halves, is_outside
from ecr_warden.audit.repaired import Live, all_repaired
from ecr_warden.core.address import HUB_ROLES, OWN_ROLES
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.target import RepositoryTarget, target_named
from iam_access.arn import iam_arn
from iam_access.document.condition import CanonicalClause
from iam_access.evaluate.request_principal import CallerKind, is_identity_center_role, is_service_linked_role
from iam_access.text.printable import first, listed, printable
from iam_access.who_can.decide import Answer, Permission
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.ours import Ours
from iam_access.who_can.subject import ANY_ACCOUNT, ANY_SERVICE, Subject

MAX_NAMED = 20
"""Principals with a finding of their own, for each place and access: a registry policy can let thousands in."""
_MAX_LISTED = 5
EVERY = "*"
"""Stands for every repository of a registry."""
_CERTAINTY = {
    Answer.YES: Certainty.YES,
    Answer.CONDITIONAL: Certainty.CONDITIONAL,
    Answer.UNKNOWN: Certainty.UNKNOWN,
}


class Judge(Struct, frozen=True):
    """Judges paths of one estate by one spec."""

    graph: RepositoryGraph
    compiled: CompiledSpec
    hub: str = ""
    """The account of the hub, if it is known."""
    live: Live = all_repaired
    """As of `find`."""
    home: Ours | None = None
    """The accounts that are ours; None for those of the spec."""

    def is_foreign(self, path: AccessPath) -> bool:
        """Whether it begins with somebody who is not shown to be ours."""
        return is_outside(self.graph, path, self.home or _ours(self.compiled.accounts))

    def halves(
        self, able: Mapping[str, Sequence[AccessPath]], let_in: Whom, others: Whom | None = None
    ) -> Iterator[tuple[str, AccessPath, Half]]:
        """Whoever is not ours and has one action of a pull: as outsiders.halves, of these alone."""

        def foreign(whom: Whom) -> Whom:
            return lambda action: filter(self.is_foreign, whom(action))

        return halves(able, foreign(let_in), None if others is None else foreign(others))

    def entering(self, asked: tuple[Permission, ...], target: RepositoryTarget) -> Iterator[AccessPath]:
        """Whoever is in no inventory and may do this directly, by any policy, without being meant to."""
        return (
            path
            for path in self.graph.directly(asked).values()
            if not self.is_allowed(path.subject, asked[0].action, target.account, target.name)
        )

    def divided(self, paths: Iterable[AccessPath]) -> tuple[list[AccessPath], list[AccessPath]]:
        """At most MAX_NAMED paths with a finding of their own, outsiders' before others', and the rest.

        So nobody hides an outsider behind many others.
        """
        found = sorted(paths, key=lambda path: (not self.is_foreign(path), path.order))
        return sorted(found[:MAX_NAMED], key=lambda path: path.order), found[MAX_NAMED:]

    def is_allowed(self, subject: Subject, access: str, account: str, repositories: str) -> bool:
        """Whether `also_allowed` covers the access to repositories, a name or a pattern, of an account."""
        return self.is_intended(_text(subject), access, account, repositories)

    def is_intended(self, principal: str, access: str, account: str, repositories: str) -> bool:
        """The same for a principal in the form that `also_allowed` is matched with."""
        return any(
            covers(also_allowed, principal, access, account, repositories)
            for also_allowed in self.compiled.also_allowed
            if also_allowed.until is None or self.graph.estate.taken_at < also_allowed.until
        )

    def is_left_out(self, path: AccessPath) -> bool:
        """Whether it is a role that only AWS can use, or one of ecr-warden's that works through the member stack's.

        Only where a hub is known, and roles in accounts of the spec: elsewhere, and for users, anybody may choose such
        a name. Or whether it goes into a role of Identity Center: AWS writes who may assume it, and what the role can
        is found of the role.
        """
        is_of_aws = is_service_linked_role(path.subject.arn) or any(map(is_identity_center_role, path.chain[1:2]))
        if is_of_aws or self._is_hubs_own(path):
            return True
        subjects = [step.subject for step in path.steps]
        names = [subject.principal.name.lower() for subject in subjects]
        is_known = all(subject.is_role and subject.principal.account in self.compiled.accounts for subject in subjects)
        return is_known and bool(self.hub) and names[-1] in OWN_ROLES and {*names} <= OWN_ROLES | HUB_ROLES

    def _is_hubs_own(self, path: AccessPath) -> bool:
        """Whether only the hub's roles get in by it, through a role of the member stack.

        Where the hub's account was not read, it stands for them: the member stack trusts it, and names them as
        conditions.
        """
        first, role = path.steps[0], path.steps[-1].subject
        is_ours = role.is_role and role.principal.account in self.compiled.accounts and role.principal.name in OWN_ROLES
        if not is_ours or len(path.steps) != 2 or not self.hub or first.subject.principal.account != self.hub:
            return False
        partition = first.subject.principal.partition
        roles = frozenset(iam_arn(self.hub, f"role/{name}", partition) for name in HUB_ROLES)
        others = CanonicalClause("StringNotEquals", "aws:principalarn", roles)
        anybody_else = replace(first.subject, always=(*first.subject.always, others))
        return self.graph.decide(anybody_else, first.permissions).answer is Answer.NO

    def finding(
        self,
        kind: FindingKind,
        place: str,
        access: str,
        path: AccessPath,
        *,
        remedy: str,
        scope: str = "",
        also: str = "",
    ) -> Finding:
        """The finding for a path; `also`: stands for others whom it is for."""
        who = named(path.subject)
        return Finding(
            kind,
            place,
            str(access),
            who,
            (also or who, *path.chain[1:]),
            self._certainty(path),
            path.conditions,
            (*map(str, _because(path, place)), *map(unread_text, path.unread)),
            remedy,
            self.is_foreign(path),
            scope,
            accept=_acceptance(path.subject),
        )

    def finding_of_document(self, place: str, access: str, paths: Sequence[AccessPath], *, remedy: str) -> Finding:
        """One finding for all whom a document lets in, of the widest: another one whenever it lets in others."""
        firsts = ((not self.is_foreign(one), named(one.subject) != ANYONE, not one.subject.is_class) for one in paths)
        _, widest = min(zip(firsts, paths, strict=True), key=lambda one: (*one[0], one[1].order))
        who, names = named(widest.subject), dict.fromkeys(named(path.subject) for path in paths)
        others = [name for name in names if who not in (name, ANYONE)]
        if not others:
            return self.finding(FindingKind.EXTRA, place, access, widest, remedy=remedy)
        made = self.finding(FindingKind.EXTRA, place, access, widest, remedy=remedy, also=_digest(paths))
        return replace(made, because=(*made.because, f"the same lets in {listed(others, _MAX_LISTED)}"))

    def _certainty(self, path: AccessPath) -> Certainty:
        """Where all was read that could decide it, an outsider counts as let in: who writes it may make it hard."""
        return _CERTAINTY[Answer.CONDITIONAL if path.is_too_hard and self.is_foreign(path) else path.answer]

    def joint_finding(
        self, kind: FindingKind, place: str, access: str, paths: Sequence[AccessPath], *, scope: str = ""
    ) -> Finding:
        """One finding for many paths, as certain as the most certain of them.

        Its chain begins with a digest, so that it is another finding whenever the paths begin at others.
        """
        digest = _digest(paths)
        because = tuple(first(tuple(dict.fromkeys(named(path.subject) for path in paths)), _MAX_LISTED))
        foreign = any(map(self.is_foreign, paths))
        certainty = min(map(self._certainty, paths), key=list(Certainty).index)
        return Finding(kind, place, str(access), MEMBERS, (digest,), certainty, (), because, "", foreign, scope)


def _digest(paths: Iterable[AccessPath]) -> str:
    return sha256("\n".join(sorted(path.subject.arn for path in paths)).encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def _ours(accounts: tuple[str, ...]) -> Ours:
    """What is ours in live documents."""
    return Ours(frozenset(accounts))


def _because(path: AccessPath, place: str) -> Iterator[AllowingStatement]:
    """The statements; without the name of the repository, so that findings of several read as one."""
    target = target_named(path.steps[-1].permissions[0].resource.arn)
    own = f"repository policy of {target.name}" if target is not None and str(target) == place else ""
    for statement in because_of(path):
        yield replace(statement, policy="the repository's policy") if statement.policy == own else statement


def _acceptance(subject: Subject) -> str:
    """What to write in the spec if the access is intended."""
    principal = subject.principal
    is_account = principal.kind is CallerKind.ROOT or (subject.is_class and subject.presumed_allowed)
    name = str(principal.account) if is_account else printable(principal.text, 200)
    if name in (ANY_ACCOUNT, ANY_SERVICE):
        return 'name "*", which is everybody, under also_allowed: in the spec, with access: and repositories:'
    return f'name "{name}" under also_allowed: in the spec'


def _text(subject: Subject) -> str:
    """A class by what covers all of it: its account's root, or everybody."""
    if not subject.is_class or not subject.presumed_allowed:
        return subject.arn
    account = str(subject.principal.account)
    return EVERY if account == ANY_ACCOUNT else iam_arn(account, "root")
