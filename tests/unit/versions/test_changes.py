"""What a next version of the spec closes, and what it leaves as it is."""

from typing import NamedTuple

import pytest

from ecr_warden.versions.changes import left_as_they_are, newly_removed_patterns, succeeding
from local.testing.seed import compiled

ACCOUNTS = """
version: 1
accounts:
  ci: {id: "111111111111"}
  registry: {id: "222222222222", regions: [eu-central-1]}
"""
ENFORCED = ACCOUNTS + "settings: {mode: enforce}\n"
HOME = "repository/222222222222/eu-central-1"
LITERAL = (
    "kind: identity-policy, account: ci, user: ann, name: work, "
    'document: {Statement: {Effect: Allow, Action: "s3:GetObject", Resource: "*"}}'
)
TRUST = (
    "kind: trust-policy, account: registry, role: robot, "
    'document: {Statement: {Effect: Allow, Principal: {AWS: "111111111111"}, Action: "sts:AssumeRole"}}'
)
POLICY = (
    "kind: repository-policy, account: registry, repository: shop/b, "
    'document: {Statement: {Effect: Allow, Principal: {AWS: "111111111111"}, Action: "ecr:BatchGetImage"}}'
)


def spec(*repositories: str, documents: str = "", head: str = ENFORCED) -> str:
    """A spec with these entries, each without its account."""
    entries = "".join(f"  - {{account: registry, {one}}}\n" for one in repositories)
    literal = f"documents: [{{{documents}}}]\n" if documents else ""
    return f"{head}repositories:\n{entries}{literal}" if repositories else f"{head}{literal}"


A = "name: shop/a, pull: [ci:user/ann]"
B = "name: shop/b, pull: [ci:user/bob]"
ALL = "name: shop/*, pull: [ci:user/ann]"
BUT_B = "name: shop/*, except: [shop/b], pull: [ci:user/ann]"
EVERY = 'name: "*", pull: [ci:user/ann]'
OBSERVING = ENFORCED.replace("enforce", "observe")
WITHOUT_REGISTRY = 'version: 1\naccounts: {ci: {id: "111111111111"}}\nsettings: {mode: enforce}\n'


class Row(NamedTuple):
    """From `before` to `after`: what is revoked, which patterns are, and what is left, each by its target's key."""

    before: str
    after: str
    revoked: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


ROWS = {
    "nothing changes": Row(spec(A), spec(A)),
    "a repository is removed": Row(spec(A), spec(), revoked=(f"{HOME}/shop/a",)),
    "a repository that was only observed": Row(spec(f"{A}, mode: observe"), spec(), left=(f"{HOME}/shop/a",)),
    "a spec that only observes": Row(spec(A, head=OBSERVING), spec(head=OBSERVING), left=(f"{HOME}/shop/a",)),
    "from enforce to observe": Row(spec(A), spec(head=OBSERVING), revoked=(f"{HOME}/shop/a",)),
    "a pattern covers it now": Row(spec(A), spec(ALL)),
    "its account is removed": Row(
        spec(A), WITHOUT_REGISTRY, revoked=(f"{HOME}/shop/a",)
    ),
    "a pattern is removed": Row(spec(ALL), spec(), patterns=(f"{HOME}/shop/*",)),
    "a pattern is removed, and one of its repositories named": Row(spec(ALL), spec(A), patterns=(f"{HOME}/shop/*",)),
    "a pattern that was only observed": Row(spec(f"{ALL}, mode: observe"), spec(), left=(f"{HOME}/shop/*",)),
    "a pattern that nobody pulls": Row(spec("name: shop/*"), spec()),
    "a pattern excludes a repository": Row(spec(ALL), spec(BUT_B), patterns=(f"{HOME}/shop/b",)),
    "a pattern excludes a repository with its own entry": Row(spec(ALL), spec(BUT_B, B)),
    "a pattern excludes it no longer": Row(spec(BUT_B), spec(ALL)),
    "a wider pattern takes over": Row(spec(ALL), spec(EVERY)),
    "a wider pattern takes over but for some": Row(
        spec(ALL), spec('name: "*", except: [shop/b], pull: [ci:user/ann]'), patterns=(f"{HOME}/shop/*",)
    ),
    "a wider pattern excludes what another had excluded": Row(
        spec(BUT_B), spec('name: "*", except: [shop/b], pull: [ci:user/ann]')
    ),
    "a narrower pattern takes over": Row(
        spec(ALL), spec("name: shop/web-*, pull: [ci:user/ann]"), patterns=(f"{HOME}/shop/*",)
    ),
    "a pattern gives something else": Row(spec(ALL), spec("name: shop/*, pull: [ci:user/bob]")),
    "a literal identity policy": Row(spec(documents=LITERAL), spec(), left=("user/111111111111/ann",)),
    "a literal identity policy beside a grant": Row(
        spec(A, documents=LITERAL), spec(A), left=("user/111111111111/ann",)
    ),
    "a literal identity policy, and the account with it": Row(
        spec(A, documents=LITERAL),
        ENFORCED.replace('  ci: {id: "111111111111"}\n', ""),
        revoked=(f"{HOME}/shop/a", "user/111111111111/ann"),
        left=("user/111111111111/ann",),
    ),
    "a literal trust policy": Row(spec(documents=TRUST), spec(), left=("role/222222222222/robot",)),
    "a literal repository policy": Row(spec(documents=POLICY), spec(), left=(f"{HOME}/shop/b",)),
    "a push role goes with its grants": Row(
        spec(f"{A}, push: [{{role: pusher, by: [ci:user/bob]}}]"), spec(A)
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_a_version_closes_and_leaves(row: Row) -> None:
    before = compiled(row.before, "v1")
    after = succeeding(before, compiled(row.after, "v2"))
    assert tuple(after.removed) == row.revoked
    assert tuple(one.pattern.target.key for one in newly_removed_patterns(after)) == row.patterns
    assert tuple(target.key for target in left_as_they_are(before, after)) == row.left


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.revoked or row.patterns])
def test_it_is_remembered_by_the_versions_after_it_until_one_names_it_again(name: str) -> None:
    row = ROWS[name]
    second = succeeding(compiled(row.before, "v1"), compiled(row.after, "v2"))
    third = succeeding(second, compiled(row.after + "# again\n", "v3"))
    assert (third.removed, third.removed_patterns) == (second.removed, second.removed_patterns)
    back = succeeding(third, compiled(row.before, "v4"))
    since = [one.since for one in back.removed.values()] + [one.since for one in back.removed_patterns]
    assert "v2" not in since


def test_of_too_many_removed_patterns_those_of_a_version_itself_are_kept() -> None:
    many = [f"name: shop/{number}/*, pull: [ci:user/ann], pull_scope: account" for number in range(600)]
    first = succeeding(compiled(spec(*many[:10]), "v1"), compiled(spec(*many[10:]), "v2"))
    second = succeeding(first, compiled(spec(), "v3"))
    assert len(second.removed_patterns) == 600
    third = succeeding(second, compiled(spec(A), "v4"))
    assert third.removed_patterns == second.removed_patterns[100:], "the sweeps have long read the others"
