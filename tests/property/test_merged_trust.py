"""Merged statements of a trust policy let in whom those of each repository let in, of all jobs that GitHub vouches for.

The oracle knows repositories as GitHub does, by ID, with owners and names that change, and reads documents by
policy_oracle.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from random import Random
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.access_spec.compile import pushers_of, trust_of
from ecr_warden.access_spec.render import push_trust
from ecr_warden.access_spec.spec import Limits, Pusher
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document, policy_size
from iam_access.document.kind import DocumentKind
from tests import examples
from tests.property.policy_oracle import Request, allowed
from tests.unit.importing.imports import NOW

HOME, ISSUER = "222222222222", "token.actions.githubusercontent.com"
PROVIDER, QUOTA = f"arn:aws:iam::{HOME}:oidc-provider/{ISSUER}", 2048
OWNERS = {"acme": "12", "beta": "13"}
REFS = {
    "branch: main": ":ref:refs/heads/main",
    "branch: 'rel/*'": ":ref:refs/heads/rel/1",
    "tag: 'v*'": ":ref:refs/tags/v1",
    "environment: prod": ":environment:prod",
}
OTHER_REFS = (":ref:refs/heads/main2", ":ref:refs/tags/main", ":environment:main", ":pull_request")
LIMITS = {
    "": ("2026-12-01T00:00:00Z", "203.0.113.5"),
    ', until: "2027-01-31T18:00:00Z"': ("2027-02-01T00:00:00Z", "203.0.113.5"),
    ', source_ip: ["203.0.113.0/24"]': ("2026-12-01T00:00:00Z", "198.51.100.7"),
}
"""And a time and an address at which the first holds and the others end or keep out, where they do."""
MOMENTS = tuple(dict.fromkeys(LIMITS.values()))


class Repository(NamedTuple):
    """A repository of GitHub; `id`: its own."""

    owner: str
    name: str
    id: str

    def subjects(self, ref: str) -> Iterator[str]:
        """The forms of the subject of its jobs, and what it may be after a rename; never the name of another."""
        owner = OWNERS[self.owner]
        yield f"repo:{self.owner}/{self.name}{ref}"
        yield f"repo:{self.owner}@{owner}/{self.name}@{self.id}{ref}"
        yield f"repo:{self.owner}@{owner}/renamed@{self.id}{ref}"

    def foreign_subjects(self, ref: str) -> Iterator[str]:
        """What it may send after a transfer, and under names that are not its own."""
        yield f"repo:other@77/{self.name}@{self.id}{ref}"
        yield f"repo:other@77/x:environment:a@{OWNERS[self.owner]}/{self.name}@{self.id}{ref}"
        yield f"repo:{self.owner}/unknown{ref}"


REPOSITORIES = tuple(
    Repository(owner, name, str(100 + number))
    for number, (owner, name) in enumerate(product(OWNERS, ("a", "a-b", "b", "c", "d")))
)
OUTSIDER = "999"


class Grant(NamedTuple):
    """Jobs of a repository, by its IDs or by its name alone."""

    repository: Repository
    has_ids: bool
    ref: str
    limits: str

    @property
    def text(self) -> str:
        owner, name, repository_id = self.repository
        ids = f"owner_id: {OWNERS[owner]}, repository_id: {repository_id}, " if self.has_ids else ""
        return f"{{github: {owner}/{name}, {ids}{self.ref}}}"


BESIDE = (
    "registry:user/ann",
    "{sso: {permission_set: Dev, account: registry}}",
    '{oidc: gitlab.com, audience: ecr, subject: "project_path:acme/a:ref_type:branch:ref:*"}',
)
SEEDS = st.integers(0, 1_000_000)


def grants_of(rng: Random, *, by_name: bool = True, limits: bool = True) -> list[Grant]:
    """Some grants, of which many could share a statement; each repository has one for each of its refs at most."""
    drawn = [
        Grant(
            rng.choice(REPOSITORIES),
            not (by_name and rng.random() < 0.2),
            rng.choice(["branch: main"] * 4 + [*REFS]),
            rng.choice([*LIMITS]) if limits and rng.random() < 0.2 else "",
        )
        for _ in range(rng.randint(2, 9))
    ]
    return [*{(grant.repository, grant.ref): grant for grant in drawn}.values()]


@cache
def pusher_of(text: str, limits: str) -> tuple[Limits, Pusher]:
    """What a spec with this grant alone says."""
    loaded = load_spec(
        f"""
version: 1
accounts: {{registry: {{id: "{HOME}", regions: [eu-central-1]}}}}
repositories: [{{name: shop/checkout, account: registry, push: [{{role: pusher, by: [{text}]{limits}}}]}}]
""".encode(),
        now=NOW,
    )
    assert isinstance(loaded, Valid)
    [pusher] = pushers_of(loaded.spec.repositories[0].push)
    return pusher


def pushers(grants: Iterable[Grant], beside: Iterable[str] = ()) -> list[tuple[Limits, Pusher]]:
    """Who may assume the role."""
    return [*(pusher_of(one.text, one.limits) for one in grants), *(pusher_of(one, "") for one in beside)]


def trust(some: Iterable[tuple[Limits, Pusher]], *, together: bool) -> Document:
    """The trust policy, merged or with a statement for each repository."""
    by_limits: defaultdict[Limits, list[Pusher]] = defaultdict(list)
    for limits, pusher in some:
        by_limits[limits].append(pusher)
    return push_trust(by_limits, account=HOME, by_owner=together)


def lets_in(
    document: Any, repository_id: str, subject: str, moment: tuple[str, str], audience: str = "sts.amazonaws.com"
) -> bool:
    """Whether a token opens the role, by the other evaluator."""
    claims = {"aud": audience, "sub": subject, "repository_id": repository_id}
    context = {f"{ISSUER}:{name}": (value,) for name, value in claims.items()}
    context |= {"aws:currenttime": (moment[0],), "aws:sourceip": (moment[1],)}
    role = f"arn:aws:iam::{HOME}:role/ecr-warden/pusher"
    return allowed(document, Request(PROVIDER, "sts:AssumeRoleWithWebIdentity", role, context))


def tokens() -> Iterator[tuple[str, str]]:
    """The ID of a repository and a subject that its jobs may send."""
    for ref in (*REFS.values(), *OTHER_REFS):
        for repository in REPOSITORIES:
            yield from ((repository.id, subject) for subject in repository.subjects(ref))
            yield from ((repository.id, subject) for subject in repository.foreign_subjects(ref))
            # Somebody else has taken over the name, or makes a subject of their own.
            yield OUTSIDER, f"repo:{repository.owner}/{repository.name}{ref}"
            yield OUTSIDER, f"repo:{repository.owner}@88/{repository.name}@{OUTSIDER}{ref}"
            yield OUTSIDER, f"repo:evil/x:environment:a@12/b@{repository.id}{ref}"


TOKENS = tuple(tokens())


def test_merged_statements_let_in_the_same_jobs() -> None:
    seen: Counter[str] = Counter()

    @examples.of(40, 120)
    @given(SEEDS)
    def draw(seed: int) -> None:
        rng = Random(seed)
        some = pushers(grants_of(rng), rng.sample(BESIDE, rng.randint(0, 2)))
        apart, together = trust(some, together=False), trust(some, together=True)
        seen["merged"] += len(together.statements) < len(apart.statements)
        one, other = json.loads(apart.text), json.loads(together.text)
        for (repository, subject), moment in product(TOKENS, MOMENTS):
            is_let_in = lets_in(one, repository, subject, moment)
            assert lets_in(other, repository, subject, moment) is is_let_in, (repository, subject)
            seen["let in"] += is_let_in
        assert not any(lets_in(other, *token, MOMENTS[0], audience="another") for token in TOKENS)

    draw()
    assert seen["merged"] > 2
    assert seen["let in"] > 100


def test_whom_merged_statements_let_in_has_a_grant_for_its_id_and_its_branch_tag_or_environment() -> None:
    seen: Counter[bool] = Counter()

    @examples.of(40, 120)
    @given(SEEDS)
    def draw(seed: int) -> None:
        grants = grants_of(Random(seed), by_name=False, limits=False)
        document = json.loads(trust(pushers(grants), together=True).text)
        granted = {(grant.repository.id, REFS[grant.ref]) for grant in grants}
        # Every ID with every name and every form of a subject, however it may have come by them.
        for repository, named, ref in product((*REPOSITORIES, None), REPOSITORIES, (*REFS.values(), *OTHER_REFS)):
            repository_id = repository.id if repository else OUTSIDER
            for subject in (*named.subjects(ref), f"repo:evil/x:environment:a@12/b@{named.id}{ref}"):
                if lets_in(document, repository_id, subject, MOMENTS[0]):
                    seen[repository == named] += 1
                    assert (repository_id, ref) in granted

    draw()
    assert min(seen[True], seen[False]) > 20


def test_the_written_policy_is_merged_only_without_room_never_longer_takes_nothing_and_has_one_order() -> None:
    seen: Counter[bool] = Counter()

    @examples.of(40, 120)
    @given(SEEDS)
    def draw(seed: int) -> None:
        rng = Random(seed)
        some = pushers(grants_of(rng))
        apart, together = trust(some, together=False), trust(some, together=True)
        written = trust_of(some, account=HOME)
        has_room = policy_size(apart) <= QUOTA
        assert written == (apart if has_room else together)
        assert policy_size(together) <= policy_size(apart)
        assert gained_and_lost(apart, together, kind=DocumentKind.TRUST).lost == ()
        assert trust_of(rng.sample(some, len(some)), account=HOME) == written
        seen[has_room] += 1

    draw()
    assert min(seen[True], seen[False]) > 1
