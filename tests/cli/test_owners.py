"""A grant to somebody whom ecr-warden may not write: `grant`, `diff`, `apply` and `can-i` say it and what ends it."""

import json
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.target import UserTarget
from local.testing.printed import complete_account
from local.testing.seed import CI, SPEC_FILE
from tests.cli.command import Command, Ran
from tests.cli.test_hold import over
from tests.unit.access.snapshots import HOME, TOKEN, document, role, user
from tests.usecases.uploads import first

SPEC = """\
version: 1
accounts:
  ci: {id: "111111111111"}
  registry: {id: "222222222222", regions: [eu-central-1]}
organizations: {acme: {id: o-a1b2c3d4e5}}
repositories:
  - {name: shop/a, account: registry, pull: [ci:user/outside-before]}
"""
DEPLOYMENT = """\
version: 1
hub: {account: registry, region: eu-central-1}
accounts:
  registry: {id: "222222222222", regions: [eu-central-1], writes: all}
"""
MEMBER = '  ci: {{id: "111111111111", writes: identities, owners: [{}]}}\n'
UNITS = """\
organization:
  {{id: o-a1b2c3d4e5, account: registry, units: [ou-ab12-34567890], writes: identities, owners: [{}]}}
"""
BY_FILE = "by ecr-warden.yaml, account ci (111111111111): "
OWNED = f"{BY_FILE}its member stack does not cover 1 of the users and roles in the spec:"
ADD = "  add to the account in ecr-warden.yaml, then ecr-warden deploy, then ecr-warden reconcile:"


def lacks(name: str, first_line: str = OWNED, *more: str) -> list[str]:
    """What is said of one who is outside."""
    return [first_line, f"  ci:{name}", ADD, f"    owners: [{name}]", *more]


# What ecr-warden.yaml has besides the registry, None without the file; to whom it is granted; what is said.
GRANTS: dict[str, tuple[str | None, str, list[str]]] = {
    "somebody outside": (MEMBER.format("user/bob"), "ci:user/anna", lacks("user/anna")),
    "a role outside": (MEMBER.format("user/node"), "ci:role/node", lacks("role/node")),
    "somebody of the owners": (MEMBER.format("user/anna"), "ci:user/anna", []),
    "somebody below a path of the owners": (MEMBER.format("user/eu/*"), "ci:user/eu/anna", []),
    "somebody of the name at another path": (MEMBER.format("user/anna"), "ci:user/eu/anna", lacks("user/eu/anna")),
    "somebody of the owners of the units": (UNITS.format("user/anna"), "ci:user/anna", []),
    "somebody outside those of the units": (UNITS.format("user/bob"), "ci:user/anna", lacks("user/anna")),
    "an account that ecr-warden may not write": (
        MEMBER.format("user/bob").replace("identities", "none"),
        "ci:user/anna",
        lacks("user/anna", OWNED, "    writes: identities"),
    ),
    "an account that it does not name": (
        "",
        "ci:user/anna",
        lacks("user/anna", OWNED.replace("its member stack does not", "there is no member stack to")),
    ),
    "no ecr-warden.yaml here": (None, "ci:user/anna", []),
    "one that cannot be read": (
        "oops: 1\n",
        "ci:user/anna",
        [f"{BY_FILE}it is unknown whom its member stack covers: ecr-warden.yaml is not valid"],
    ),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)


def write(deployment: str | None, spec: str = SPEC) -> None:
    Path("access.yaml").write_text(spec)
    Path("old.yaml").write_text(spec)
    if deployment is not None:
        Path("ecr-warden.yaml").write_text(DEPLOYMENT + deployment)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("case", GRANTS)
def test_whom_ecr_warden_may_not_write_is_said_of_the_grant_in_one_wording(case: str) -> None:
    deployment, who, said = GRANTS[case]
    write(deployment)
    dry = Command()("grant", "pull", "shop/a", "--to", who, "--dry-run")
    assert dry.err.splitlines() == said
    ran = Command()("grant", "pull", "shop/a", "--to", who)
    assert (ran.code, ran.err.splitlines()) == (0, said)
    assert who in Path("access.yaml").read_text()
    compared = Command()("diff", "old.yaml", "access.yaml")
    assert compared.out.splitlines()[3:] == said
    comment = Command()("diff", "old.yaml", "access.yaml", "--markdown").out
    assert ("its member stack does not cover 1" in comment) == (said[:1] == [OWNED])
    gaps = Command()("diff", "old.yaml", "access.yaml", "--json").json["writeScope"]
    assert [one["account"] for one in gaps] == ([CI] if said else [])


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("grant", ["{account: ci}", "{organization: acme}"])
def test_who_gains_by_the_registrys_policy_alone_needs_no_owner(grant: str) -> None:
    write(MEMBER.format("user/bob"))
    Path("access.yaml").write_text(SPEC.replace("[ci:user/outside-before]", f"[ci:user/outside-before, {grant}]"))
    ran = Command()("diff", "old.yaml", "access.yaml")
    assert (ran.code, "member stack" in ran.out) == (2, False)


@pytest.mark.usefixtures("here")
def test_the_line_that_is_added_ends_it() -> None:
    write(MEMBER.format("user/bob"))
    ran = Command()("grant", "pull", "shop/a", "--to", "ci:user/anna", "--dry-run", "--json")
    [gap] = ran.json["writeScope"]
    assert (gap["uncovered"], ran.json["written"]) == ([f"arn:aws:iam::{CI}:user/anna"], False)
    said = Command()("grant", "pull", "shop/a", "--to", "ci:user/anna", "--dry-run").err.splitlines()
    added = said[-1].strip().removeprefix("owners: [").removesuffix("]")
    write(MEMBER.format(f"user/bob, {added}"))
    assert Command()("grant", "pull", "shop/a", "--to", "ci:user/anna").err == ""


BEFORE = SPEC_FILE.read_text().replace("ci:user/pull-user-1, ci:user/pull-user-2", "ci:user/pull-user-1")
AFTER, OBSERVED = SPEC_FILE.read_text(), "{mode: observe}"
USERS = {name: f"arn:aws:iam::{CI}:user/{name}" for name in ("pull-user-1", "pull-user-2", "push-user")}
INSIDE = {"ManagedOwners": tuple(USERS.values())}
OUTSIDE = {"ManagedOwners": (USERS["pull-user-1"], USERS["push-user"])}
REFUSED = "nothing was uploaded: answer yes at a terminal; --yes does not answer for whom ecr-warden may not write\n"
PLAIN = "nothing was uploaded: answer yes, or add --yes\n"
# The versions before and after, the owners, the options, what is typed at a terminal or None; is it uploaded, and what
# is said at the end of stderr where it is not.
APPLIED: dict[str, tuple[str, str, Any, str, bytes | None, str]] = {
    "a grant outside the owners": (BEFORE, AFTER, OUTSIDE, "--yes", None, REFUSED),
    "the same for a script": (BEFORE, AFTER, OUTSIDE, "--yes --json", None, REFUSED),
    "the same, and somebody says yes": (BEFORE, AFTER, OUTSIDE, "--yes", b"yes\n", ""),
    "the same, and somebody says no": (BEFORE, AFTER, OUTSIDE, "--yes", b"no\n", REFUSED),
    "once the line is added and deployed": (BEFORE, AFTER, INSIDE, "--yes", None, ""),
    "without --yes": (BEFORE, AFTER, INSIDE, "", None, PLAIN),
    "a grant that is only observed": ("observe", "observe", OUTSIDE, "--yes", None, ""),
    "a grant that is enforced from now on": ("observed after", AFTER, OUTSIDE, "--yes", None, REFUSED),
    "a change of others": (AFTER, "one less", OUTSIDE, "--yes", None, ""),
    "the end of a grant": (AFTER, BEFORE, OUTSIDE, "--yes", None, ""),
    "a part of a grant ends": ("more", AFTER, OUTSIDE, "--yes", None, ""),
    "no member stack to ask": (BEFORE, AFTER, None, "--yes", None, ""),
}
TEXTS = {
    "observe": None,
    "more": AFTER.replace("by: [ci:user/push-user]", "by: [ci:user/push-user, ci:user/pull-user-2]"),
    "observed after": AFTER.replace("{mode: enforce}", OBSERVED),
    "one less": AFTER.replace("ci:user/pull-user-1, ", ""),
}


@pytest.mark.parametrize("case", APPLIED)
def test_yes_does_not_answer_for_an_enforced_grant_outside_the_owners(case: str, tmp_path: Path) -> None:
    old, new, lists, options, typed, refusal = APPLIED[case]
    if old == "observe":
        old, new = (text.replace("mode: enforce", "mode: observe") for text in (BEFORE, AFTER))
    world = first(TEXTS.get(old) or old)
    if lists is not None:
        world.documents.lists[CI] = lists
    (path := tmp_path / "access.yaml").write_text(TEXTS.get(new) or new)
    before = world.specs.file
    ran = over(world, terminal=typed is not None)("apply", str(path), *options.split(), "--no-wait", stdin=typed or b"")
    assert (ran.code, world.specs.file == before) == ((2, True) if refusal else (0, False)), ran.err
    assert ran.err.endswith(refusal)
    if "--json" in options:
        assert ran.json["uploaded"] is False
    elif lists is OUTSIDE:
        assert ("    owners: [user/pull-user-2]" in ran.out) == (new != BEFORE)


def test_where_too_little_may_be_written_at_all_the_hub_refuses_the_version(tmp_path: Path) -> None:
    world = first(BEFORE)
    world.documents.make(UserTarget(HOME, "anna"))
    world.documents.lists[HOME] = {"ManagedOwners": (f"arn:aws:iam::{HOME}:user/bob",), "Writes": ("identities",)}
    (path := tmp_path / "access.yaml").write_text(BEFORE.replace("ci:user/pull-user-1]", "registry:user/anna]"))
    ran = over(world)("apply", str(path), "--yes", "--no-wait")
    assert ("    owners: [user/anna]" in ran.out, "    writes: all" in ran.out, ran.code) == (True, True, 0)


def write_role(*owners: str) -> dict[str, Any]:
    """The role by which ecr-warden writes in the account ci."""
    allowed = {
        "Sid": "OwnersInlinePolicies",
        "Effect": "Allow",
        "Action": "iam:PutUserPolicy",
        "Resource": list(owners),
    }
    made = role("ecr-warden-write", {"Service": "lambda.amazonaws.com"}, allowed, account=CI)
    return made | {"Arn": f"arn:aws:iam::{CI}:role/ecr-warden/ecr-warden-write", "Path": "/ecr-warden/"}


LEFT_OUT, PUSHER = f"arn:aws:iam::{CI}:user/left-out", f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-pusher"
PULLING = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PUSHING = [
    *("ecr:BatchCheckLayerAvailability", "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload"),
    *("ecr:BatchGetImage", "ecr:PutImage", "ecr:UploadLayerPart"),
]
OWN_PART = {
    "Effect": "Allow",
    "Action": PULLING,
    "Resource": f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/checkout",
}
REMEDY = (
    "do: add to the account in ecr-warden.yaml, then ecr-warden deploy, then ecr-warden reconcile: "
    "owners: [user/left-out]; its member stack does not cover ci:user/left-out"
)
ALREADY = "do: no grant gives this alone: "
GIVEN = "pull: [ci:user/left-out]"
# What the spec says of the repository, whom the member stack covers, whether the repository's policy takes the pull,
# the mode; the access that is asked about, and what to do.
ASKED: dict[str, tuple[str, str, bool, str, str, str]] = {
    "given, and outside the owners": (GIVEN, "user/bob", True, "enforce", "pull", REMEDY),
    "given for a time, and outside the owners": (
        'pull: [{by: [ci:user/left-out], until: "2030-01-01T00:00:00Z"}]',
        *("user/bob", True, "enforce", "pull", REMEDY),
    ),
    "given, and of the owners": (GIVEN, "user/left-out", True, "enforce", "pull", ALREADY),
    "given, and only observed": (GIVEN, "user/bob", True, "observe", "pull", ALREADY),
    "given, and the registry's part is missing too": (GIVEN, "user/bob", False, "enforce", "pull", ALREADY),
    "not given": (
        "pull: [ci:user/bob]",
        "user/bob",
        True,
        "enforce",
        "pull",
        "do: ecr-warden grant pull shop/checkout",
    ),
    "given as a push": (
        "push: [{role: ecr-pusher, by: [ci:user/left-out]}]",
        *("user/bob", False, "enforce", "push", REMEDY),
    ),
}


def asked(case: str, tmp_path: Path, *written: dict[str, Any]) -> Ran:
    grants, owner, takes, mode, access, _ = ASKED[case]
    policy = document({"Effect": "Allow", "Principal": {"AWS": LEFT_OUT}, "Action": PULLING}) if takes else None
    registry = {"repositories": [{"repositoryName": "shop/checkout", "policy": policy}], "registryPolicy": None}
    pusher = role("ecr-pusher", {"AWS": LEFT_OUT}, OWN_PART | {"Action": PUSHING}, TOKEN) | {
        "Arn": PUSHER,
        "Path": "/ecr-warden/",
    }
    of_ci = {
        "UserDetailList": [user("left-out", *written, account=CI), user("bob", account=CI)],
        "RoleDetailList": [write_role(f"arn:aws:iam::{CI}:{owner}")],
    }
    accounts = {
        CI: complete_account({"iam": of_ci, "ecr": {}}),
        HOME: complete_account(
            {"iam": {"UserDetailList": [], "RoleDetailList": [pusher]}, "ecr": {"eu-central-1": registry}}
        ),
    }
    (estate := tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": accounts}))
    (spec := tmp_path / "access.yaml").write_text(
        f"{SPEC.partition('repositories:')[0]}settings: {{mode: {mode}}}\n"
        f"repositories: [{{name: shop/checkout, account: registry, {grants}}}]\n"
    )
    where = ("--spec", str(spec), "--snapshot", str(estate))
    return Command()("can-i", "--as", "ci:user/left-out", access, "shop/checkout", *where)


@pytest.mark.parametrize("case", ASKED)
def test_a_no_of_what_ecr_warden_may_not_write_says_what_to_add(case: str, tmp_path: Path) -> None:
    ran = asked(case, tmp_path)
    assert (ran.code, ran.out.splitlines()[1].startswith(ASKED[case][-1])) == (2, True), ran.out


def test_once_it_is_written_as_the_remedy_has_it_the_answer_is_yes(tmp_path: Path) -> None:
    ran = asked("given, and of the owners", tmp_path, OWN_PART, TOKEN)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "yes: ci:user/left-out can pull shop/checkout")
