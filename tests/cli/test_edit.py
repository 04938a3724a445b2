"""`grant` and `revoke`: the text of the spec before and after, who gains and loses, and what is refused."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden_cli.editing.spec_diff import diff
from ecr_warden_cli.editing.spec_edit import Access, GrantEdit, Revoke, edited
from local.testing.memory.hub import ManualClock
from tests import examples, tables
from tests.cli.command import Command, Ran

CASES = {
    verb: {case["name"]: case for case in tables.load(Path(f"tests/cases/edit/{verb}.yaml").read_text())}
    for verb in ("grant", "revoke", "refused")
}
HEAD = """version: 1
accounts: {ci: {id: "111111111111"}, registry: {id: "222222222222", regions: [eu-central-1]}}
"""
EDITS = [(verb, name) for verb in ("grant", "revoke") for name in CASES[verb]]
NOW = ManualClock().now()


def text(case: dict[str, Any], which: str) -> bytes:
    body: str = case[which]
    return (body if case.get("whole") else HEAD + body).encode()


def run(verb: str, case: dict[str, Any], *more: str) -> Ran:
    """The verb in the directory of access.yaml, its default."""
    Path("access.yaml").write_bytes(text(case, "before"))
    given = case["command"]
    return Command()(verb, *(shlex.split(given) if isinstance(given, str) else given), *more)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("verb", "name"), EDITS)
def test_only_the_grant_changes_in_the_text(verb: str, name: str) -> None:
    case = CASES[verb][name]
    ran = run(verb, case)
    assert (ran.code, ran.err) == (0, "")
    assert Path("access.yaml").read_bytes() == text(case, "after")


@pytest.mark.parametrize("name", CASES["refused"])
def test_what_is_refused_leaves_the_file_alone(name: str) -> None:
    case = CASES["refused"][name]
    ran = run(case["verb"], case, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (1, case["code"])
    assert case["says"] in ran.err
    assert Path("access.yaml").read_bytes() == text(case, "before")


ONE = {"before": "repositories: [{name: shop/a, account: registry, pull: [ci:user/bob]}]\n"}
ANNA = ONE | {"command": "pull shop/a --to ci:user/anna"}


def test_who_gains_and_what_comes_next_is_said() -> None:
    assert run("grant", ANNA).out.splitlines() == [
        "once it is uploaded, it takes effect by itself",
        "ci:user/anna gains pull from shop/a",
        "1 gain (1 principal, 1 repository), by the texts alone: no account was read; "
        "this is only observed: it says mode: observe",
        "access.yaml is written; to upload it: ecr-warden apply access.yaml",
    ]


def test_a_new_warning_is_said() -> None:
    ran = run("grant", ANNA | {"command": "push shop/a --to ci:user/x --role p --until 2027-01-01T00:00:00Z"})
    assert ran.code == 0
    again = Command()("grant", "push", "shop/a", "--to", "ci:user/y", "--role", "p")
    assert again.out.startswith("W513 access.yaml:")


def test_a_refusal_names_only_what_the_edit_adds() -> None:
    push = "{role: p, by: [ci:user/bob]}, {role: p, by: [ci:user/carl], until: 2027-01-01T00:00:00Z}"
    warned = {"before": f"repositories: [{{name: shop/a, account: registry, push: [{push}]}}]\n"}
    assert Command()("validate", "-", stdin=text(warned, "before")).out.startswith("W513 ")
    ran = run("grant", warned | {"command": "pull shop/a --to nobody"}, "--json")
    assert [one["code"] for one in ran.json["problems"]] == ["E104"]
    assert [line[:5] for line in ran.err.splitlines()] == ["E104 ", "ecr-w"]


def test_a_dry_run_prints_a_patch_and_writes_nothing() -> None:
    ran = run("grant", ANNA, "--dry-run")
    assert ran.code == 2
    assert ran.out.splitlines() == [
        *("--- access.yaml", "+++ access.yaml", "@@ -1,4 +1,4 @@"),
        *(f" {line}" for line in HEAD.splitlines()),
        "-repositories: [{name: shop/a, account: registry, pull: [ci:user/bob]}]",
        "+repositories: [{name: shop/a, account: registry, pull: [ci:user/bob, ci:user/anna]}]",
        " ",
    ]
    assert Path("access.yaml").read_bytes() == text(ANNA, "before")


def test_what_the_spec_says_already_is_no_difference() -> None:
    case = ONE | {"command": "pull shop/a --to ci:user/bob"}
    ran = run("grant", case)
    assert (ran.code, ran.out) == (0, "access.yaml says so already; nothing was written\n")
    dry = run("grant", case, "--dry-run")
    assert (dry.code, dry.out) == (0, "")


def test_the_file_keeps_its_permissions_and_a_link_stays_one() -> None:
    Path("access.yaml").symlink_to("real.yaml")
    Path("real.yaml").touch(mode=0o640)
    assert run("grant", ANNA).code == 0
    assert Path("access.yaml").is_symlink()
    assert Path("real.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in Path().iterdir()) == ["access.yaml", "real.yaml"]


def test_stdin_cannot_be_edited() -> None:
    ran = Command()("grant", "pull", "shop/a", "-", "--to", "ci:user/anna", stdin=text(ONE, "before"))
    assert (ran.code, "edits a file" in ran.err) == (1, True)


# How a list of principals may be laid out.
LISTS = {
    "brackets": lambda names, pad: f"[{', '.join(names)}]",
    "brackets with blanks": lambda names, pad: f"[ {' , '.join(names)} , ]",
    "lines": lambda names, pad: "".join(f"\n{pad}- {name}" for name in names),
    "lines with comments": lambda names, pad: "".join(f"\n\n{pad}# {name}\n{pad}-   {name}  # yes" for name in names),
}
QUOTES = ("{}", '"{}"', "'{}'")


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A spec of three repositories with grants in any layout."""

    def names() -> list[str]:
        quote = draw(st.sampled_from(QUOTES))
        some = draw(st.lists(st.sampled_from(["ann", "bob", "carl"]), min_size=1, max_size=3, unique=True))
        return [quote.format(f"ci:user/{name}") for name in some]

    def written(pad: str) -> str:
        return LISTS[draw(st.sampled_from(sorted(LISTS)))](names(), pad)

    entries = []
    for number in range(3):
        fields = [f"name: shop/{number}", "account: registry"]
        if draw(st.booleans()):
            fields.append(f"pull: {written('    ')}")
        if draw(st.booleans()):
            fields.append(f"push:\n    - role: pusher-{number}\n      by: {written('        ')}")
        fields = draw(st.permutations(fields))
        entries.append("- " + "\n  ".join(fields) + draw(st.sampled_from(["", "  # note", "\n  # note", "\n"])))
    body = HEAD + "repositories:\n" + "\n".join(entries) + draw(st.sampled_from(["", "\n", "\n\n# the end\n"]))
    return body.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def loaded(body: str) -> Valid:
    found = load_spec(body.encode(), now=NOW)
    assert isinstance(found, Valid), found
    return found


@given(body=texts(), number=st.integers(0, 2), pushes=st.booleans(), ends=st.booleans())
@examples.of(100)
def test_a_grant_gives_exactly_that_access_and_revoking_it_gives_back_the_text(
    body: str, number: int, pushes: bool, ends: bool
) -> None:
    access: Access = "push" if pushes else "pull"
    role = f"pusher-{number}" if pushes else ""
    until = NOW.replace(year=2028) if ends else None
    old = loaded(body)
    after = edited(body, old.spec, GrantEdit(access, f"shop/{number}", "ci:user/new", until, role))
    new = loaded(after)
    changes = diff(old.compiled, new.compiled, NOW, baseline=old.compiled).changes
    mine = [one for one in changes if one.principal == "arn:aws:iam::111111111111:user/new"]
    assert [(one.direction, one.access, one.repository.rpartition("/shop/")[2]) for one in mine] == [
        ("gains", access, str(number))
    ]
    # A role that is new is named too.
    assert {one.principal for one in changes} - {mine[0].principal} <= {*mine[0].through}
    back = edited(after, new.spec, Revoke(access, f"shop/{number}", "ci:user/new", role))
    assert back == body
