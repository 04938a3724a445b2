"""Documents over AWS's quotas are refused."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ecr_warden.access_spec import Invalid, Problem, Valid, load_spec
from tests.unit.access_spec.cases import ACCOUNTS, NOW

type Sized = Callable[[int], str]
"""A spec that grows with a number."""


def pulls(count: int) -> str:
    names = ", ".join(f"ci:user/builder-{number:04}" for number in range(count))
    return f"{ACCOUNTS}\nrepositories: [{{name: shop/checkout, account: registry, pull: [{names}]}}]"


def pushes(count: int) -> str:
    names = ", ".join(f"ci:user/builder-{number:04}" for number in range(count))
    push = f"[{{role: pusher, by: [{names}]}}, {{role: pusher, by: [ci:user/late], until: 2099-01-01T00:00:00Z}}]"
    return f"{ACCOUNTS}\nrepositories: [{{name: shop/checkout, account: registry, push: {push}}}]"


def repositories_of(principal: str, name: str = "shop/service") -> Sized:
    def spec(count: int) -> str:
        lines = [f"  - {{name: {name}-{number:04}, account: registry, pull: [{principal}]}}" for number in range(count)]
        return "\n".join([ACCOUNTS, "repositories:", *lines])

    return spec


def jobs(
    *,
    owners: tuple[str, ...] = ("acme",),
    refs: tuple[str, ...] = ("branch: main",),
    beside: str = "",
    by_name: int = 0,
) -> Sized:
    """Jobs of GitHub repositories with names of 30 characters, some of them without IDs, the owners in turn."""

    def spec(count: int) -> str:
        by = [beside] if beside else []
        for number in range(count):
            owner = number % len(owners)
            ids = f"owner_id: {123456789 + owner}, repository_id: {1123456789 + number}, " if number >= by_name else ""
            name = f"{owners[owner]}/{'checkout-service-of-the-shop'}{number:02}"
            by += [f"{{github: {name}, {ids}{ref}}}" for ref in refs]
        push = f"[{{role: pusher, by: [{', '.join(by)}]}}]"
        return f"{ACCOUNTS}\nrepositories: [{{name: shop/checkout, account: registry, push: {push}}}]"

    return spec


@pytest.mark.parametrize(
    ("spec", "fit"),
    [
        pytest.param(jobs(), 20, id="of one owner"),
        pytest.param(
            jobs(owners=("a" * 39,), refs=("environment: production",)), 13, id="of an owner with a long name"
        ),
        pytest.param(jobs(owners=("acme", "beta")), 14, id="of two owners"),
        pytest.param(jobs(beside="ci:user/builder"), 18, id="beside a user"),
        pytest.param(jobs(by_name=2), 14, id="two of them without IDs"),
        pytest.param(jobs(refs=("branch: main", "tag: 'v*'")), 11, id="each for a branch and for tags"),
    ],
)
def test_many_github_repositories_fit_into_a_trust_policy(spec: Sized, fit: int) -> None:
    assert quota_problems(spec(fit)) == ()
    (found,) = quota_problems(spec(fit + 1))
    assert found.code == "E404"
    assert "give the repository a second push role" in found.remedy


ASSUME = "Action: 'sts:*'"


def literal(kind: str, where: str, elements: str) -> Sized:
    def spec(count: int) -> str:
        statement = f"{{Sid: {'x' * count}, Effect: Deny, {elements}}}"
        document = f"{{kind: {kind}, account: registry, {where}, document: {{Statement: {statement}}}}}"
        return f"{ACCOUNTS}\ndocuments:\n  - {document}"

    return spec


def quota_problems(text: str) -> tuple[Problem, ...]:
    loaded = load_spec(text.encode(), now=NOW)
    match loaded:
        case Valid():
            return ()
        case Invalid(problems=problems):
            return tuple(problem for problem in problems if problem.is_error)


@pytest.mark.parametrize(
    ("spec", "code", "fit", "place"),
    [
        pytest.param(pulls, "E401", 219, (4, 17), id="principals of a repository policy"),
        pytest.param(pushes, "E404", 35, (4, 71), id="principals of a trust policy"),
        pytest.param(repositories_of("ci:user/puller"), "E402", 26, (5, 57), id="repositories of a user"),
        pytest.param(repositories_of("ci:role/puller"), "E403", 144, (5, 57), id="repositories of a role"),
    ],
)
def test_one_more_than_fits_is_refused_where_it_is_granted(
    spec: Sized, code: str, fit: int, place: tuple[int, int]
) -> None:
    assert quota_problems(spec(fit)) == ()
    (found,) = quota_problems(spec(fit + 1))
    assert (found.code, found.line, found.column) == (code, *place)
    assert found.remedy


@pytest.mark.parametrize(
    ("spec", "code", "quota"),
    [
        pytest.param(
            literal("repository-policy", "repository: legacy/app", 'Action: "ecr:*", Principal: "*"'),
            "E401",
            10_240,
            id="repository",
        ),
        pytest.param(literal("trust-policy", "role: legacy", f'{ASSUME}, Principal: "*"'), "E404", 2_048, id="trust"),
        pytest.param(
            literal("identity-policy", "role: legacy, name: x", f'{ASSUME}, Resource: "*"'), "E403", 10_240, id="role"
        ),
        pytest.param(
            literal("identity-policy", "user: legacy, name: x", f'{ASSUME}, Resource: "*"'), "E402", 2_048, id="user"
        ),
    ],
)
def test_literal_document_over_a_quota_is_refused_at_its_place(spec: Sized, code: str, quota: int) -> None:
    (found,) = quota_problems(spec(quota))
    assert found.code == code
    assert found.line == 5
    size = re.search(r"([0-9]+) characters", found.message)
    assert size is not None
    over = int(size[1]) - quota
    assert quota_problems(spec(quota - over)) == ()
    assert [problem.code for problem in quota_problems(spec(quota - over + 1))] == [code]


def test_a_user_s_policies_are_counted_together() -> None:
    granted = repositories_of("ci:user/puller")
    padding = "{Statement: {Sid: " + "x" * 1200 + ", Effect: Deny, Action: 'sts:*', Resource: '*'}}"
    document = f"{{kind: identity-policy, account: ci, user: puller, name: x, document: {padding}}}"

    def both(count: int) -> str:
        return f"{granted(count)}\ndocuments: [{document}]"

    assert [problem.code for problem in quota_problems(both(20))] == ["E402"]
    assert quota_problems(both(1)) == ()
    assert quota_problems(granted(20)) == ()


def test_the_remedy_of_a_user_over_its_quota_is_the_pull_scope() -> None:
    (found,) = quota_problems(repositories_of("ci:user/puller")(40))
    assert "pull_scope: account" in found.remedy
    lines = repositories_of("ci:user/puller")(40)
    assert quota_problems(lines.replace("pull: [ci:user/puller]", "pull: [ci:user/puller], pull_scope: account")) == ()


@pytest.mark.parametrize(("principal", "column"), [("ci:user/puller", 1), ("ci:role/puller", 2)])
def test_the_documentation_says_how_many_repositories_fit(principal: str, column: int) -> None:
    page = " ".join((Path(__file__).parents[3] / "docs" / "spec.md").read_text(encoding="utf-8").split())
    said = re.search(
        r"With ARNs of 60 characters a user's inline policies hold ([0-9]+) repositories and a role's ([0-9]+);", page
    )
    assert said is not None
    assert len("arn:aws:ecr:eu-central-1:222222222222:repository/shop/s-0000") == 60
    fitting = repositories_of(principal, "shop/s")
    assert quota_problems(fitting(int(said[column]))) == ()
    assert len(quota_problems(fitting(int(said[column]) + 1))) == 1


def ends(count: int) -> str:
    """Grants of which each is a statement of its own."""
    grants = [f"{{by: [ci:user/b{number}], until: {2030 + number}-01-01T00:00:00Z}}" for number in range(count)]
    return f"{ACCOUNTS}\nrepositories: [{{name: shop/checkout, account: registry, pull: [{', '.join(grants)}]}}]"


# Of a document that somebody writes more than so many characters, or statements, are not read.
@pytest.mark.parametrize(
    ("spec", "below", "above", "code"),
    [
        pytest.param(pulls, 6_000, 6_600, "E401", id="principals of a repository policy"),
        pytest.param(pushes, 6_000, 6_600, "E404", id="principals of a trust policy"),
        pytest.param(repositories_of("ci:user/puller"), 3_900, 4_300, "E402", id="repositories of a user"),
        pytest.param(ends, 990, 1_010, "E401", id="grants with ends"),
    ],
)
def test_a_document_of_any_size_is_named_with_its_size(spec: Sized, below: int, above: int, code: str) -> None:
    for count in (below, above):
        found = quota_problems(spec(count))
        assert code in {problem.code for problem in found}
        assert all(re.search("[0-9]+ characters; the quota is [0-9]+", problem.message) for problem in found)


LENGTH = 262_144


@pytest.mark.parametrize("length", [LENGTH - 1, LENGTH, LENGTH + 1, 4 * LENGTH])
def test_of_the_spec_itself_the_length_does_not_matter(length: int) -> None:
    text = repositories_of("ci:user/puller")(3) + "\n# "
    assert quota_problems(text + "c" * (length - len(text))) == ()


@pytest.mark.parametrize(("length", "code"), [(LENGTH - 200, "E402"), (LENGTH + 1, "E301")])
def test_a_document_that_the_spec_itself_has_is_read_up_to_a_length(length: int, code: str) -> None:
    document = f"{{Statement: {{Sid: {'x' * length}, Effect: Deny, Action: 'sts:*', Resource: '*'}}}}"
    entry = f"{{kind: identity-policy, account: ci, user: puller, name: x, document: {document}}}"
    (found,) = quota_problems(f"{ACCOUNTS}\ndocuments: [{entry}]")
    assert (found.code, bool(found.remedy)) == (code, True)
