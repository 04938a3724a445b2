"""Where the questions read: every verb that asks one takes the same places, names and combinations, in the same way."""

import json
from functools import cache
from pathlib import Path

import pytest

from local.testing.seed import CI, HOME, SPEC_FILE
from tests.cli.command import Command
from tests.cli.test_can_i_hub import ANN, with_estate
from tests.cli.test_hold import over
from tests.template.cfn import ROOT

ESTATE = str(ROOT / "examples/who-can/estate.json")
SPEC = str(SPEC_FILE)
CHANGE = str(ROOT / "examples/who-can/no-policy.json")
IMAGE = f"{HOME}.dkr.ecr.eu-central-1.amazonaws.com/shop/checkout"
DENIAL = (
    f"User: {ANN} is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:eu-central-1:{HOME}:repository/"
)
ASKED: dict[str, tuple[str, ...]] = {
    "can-i": ("can-i", "--as", "ci:user/pull-user-1", "pull", "shop/checkout"),
    "can-i, a list": ("can-i", "--as", "ci:user/pull-user-1"),
    "who-can": ("who-can", "pull", "shop/checkout"),
    "what-if": ("what-if", CHANGE),
    "explain-denial": ("explain-denial",),
    "report": ("report", "--json"),
    "import": ("import",),
    "snapshot": ("snapshot",),
}
"""Every verb that asks about the accounts or the spec."""


def ask(command: Command, verb: str, *options: str) -> tuple[int, str, str]:
    ran = command(*ASKED[verb], *options, stdin=f"{DENIAL}shop/checkout".encode())
    return ran.code, ran.out, ran.err


estate = cache(with_estate)
"""A hub that is only asked."""


def laptop() -> Command:
    """A person with profiles for both accounts of the example."""
    entries = json.loads(Path(ESTATE).read_text())["accounts"]
    return Command(entries=entries, accounts={"ci-read": (CI, "eu-central-1"), "hub-read": (HOME, "eu-central-1")})


@pytest.mark.parametrize("verb", [*ASKED])
def test_the_hub_answers_whether_it_is_named_or_not(verb: str) -> None:
    named, silent = (ask(over(estate()), verb, *options) for options in (("--hub",), ()))
    assert (named[0] in (0, 2), named[1] != "") == (True, True), named[2]
    assert silent == named


PLACES: dict[str, tuple[str, ...]] = {
    "a snapshot and a spec": ("--spec", SPEC, "--snapshot", ESTATE),
    "the accounts of a spec": ("--spec", SPEC, "--profile", "ci=ci-read", "--profile", f"{HOME}=hub-read"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("verb", [verb for verb in ASKED if verb != "snapshot"])
def test_a_spec_is_read_with_a_file_or_with_profiles(verb: str, place: str) -> None:
    code, out, err = ask(laptop(), verb, *PLACES[place])
    assert (code in (0, 2), out != "") == (True, True), err


@pytest.mark.parametrize("verb", [verb for verb in ASKED if verb != "report"])
def test_the_profiles_of_accounts_are_enough_and_name_them(verb: str) -> None:
    profiles = ("--profile", "ci=ci-read", "--profile", "registry=hub-read")
    code, out, err = ask(laptop(), verb, *profiles)
    assert (code in (0, 2), out != "") == (True, True), err
    assert "repositories are read in eu-central-1 only" in err


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "the hub and a spec": (("--hub", "--spec", SPEC), "--hub with --spec; give one of them"),
    "a hub's region and a spec": (("--hub-region", "eu-west-1", "--spec", SPEC), "--hub-region with --spec; give one"),
    "two profiles of the hub": (
        ("--hub", "--profile", "a", "--profile", "b"),
        "--profile b for the hub; give one profile",
    ),
    "a profile of an account at the hub": (("--hub", "--profile", "ci=a"), "--profile ci=a for the hub; give one"),
    "a region of a spec": (
        ("--spec", SPEC, "--region", "eu-west-1"),
        "--region without a --profile alone; leave it out",
    ),
    "a region of the hub": (("--region", "eu-west-1"), "--region without a --profile alone; leave it out"),
}
OF_FILES: dict[str, tuple[tuple[str, ...], str]] = {
    "the hub and a file": (("--hub", "--snapshot", ESTATE), "--hub with --snapshot; give one of them"),
    "a file and a profile": (("--snapshot", ESTATE, "--profile", "a"), "--profile with --snapshot; leave it out"),
}


@pytest.mark.parametrize("verb", [*ASKED])
@pytest.mark.parametrize("case", [*WRONG, *OF_FILES])
def test_what_does_not_go_together_is_refused_with_the_remedy(verb: str, case: str) -> None:
    options, words = (WRONG | OF_FILES)[case]
    if verb == "snapshot" and case in OF_FILES:
        words = "unrecognized arguments"
    code, out, err = ask(over(estate()), verb, *options)
    assert (code, words in err) == (1, True), err
    assert not out or verb == "report"


NEEDED: dict[str, tuple[str, tuple[str, ...], str]] = {
    "a report without a spec": ("report", ("--snapshot", ESTATE), "a report says what a spec gives; add --spec SPEC"),
}


@pytest.mark.parametrize("case", NEEDED)
def test_what_a_verb_needs_besides_is_named(case: str) -> None:
    verb, options, words = NEEDED[case]
    code, _, err = ask(laptop(), verb, *options)
    assert (code, words in err) == (1, True), err


@pytest.mark.parametrize("verb", [*ASKED])
def test_without_a_hub_the_other_places_are_named(verb: str) -> None:
    elsewhere = "to read elsewhere, name a place, such as --spec SPEC or --profile PROFILE"
    assert elsewhere in ask(Command(), verb)[2]
    assert elsewhere not in ask(Command(), verb, "--hub")[2]


NAMES = [
    "shop/checkout",
    f"{HOME}/eu-central-1/shop/checkout",
    "registry/eu-central-1/shop/checkout",
    f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/checkout",
    IMAGE,
    f"{IMAGE}:latest",
    f"https://{IMAGE}@sha256:0123",
    f"{HOME}.dkr-ecr.eu-central-1.on.aws/shop/checkout:1",
]


@pytest.mark.parametrize(("verb", "name"), [*(("can-i", name) for name in NAMES), ("who-can", IMAGE)])
def test_a_repository_may_be_written_in_any_way(verb: str, name: str) -> None:
    command = over(estate())
    asked, usual = (command(*ASKED[verb][:-1], one) for one in (name, "shop/checkout"))
    assert (asked.code, asked.out) == (usual.code, usual.out)
    assert "shop/checkout" in usual.out


def test_a_pattern_is_answered_for_each_repository_it_fits() -> None:
    source = ("--spec", SPEC, "--snapshot", ESTATE)
    (one,) = Command()("who-can", "pull", "shop/*", *source, "--json").json["repositories"]
    assert one.pop("repository") == f"{HOME}/eu-central-1/shop/checkout"
    alone = Command()("who-can", "pull", "shop/checkout", *source, "--json").json
    assert alone == {"schema": 1, **one}
    for asked in (("who-can", "pull"), ("can-i", "--as", HOME, "pull")):
        missed = Command()(*asked, "web/*", *source)
        assert (missed.code, "no repository of the accounts that were read fits web/*" in missed.err) == (1, True)


def test_the_answer_of_the_hub_says_how_old_it_is() -> None:
    said = "by the policies as the hub has read them since 2026-11-24T10:00:00Z"
    for verb in ("can-i", "can-i, a list", "who-can", "explain-denial"):
        assert said in ask(over(estate()), verb)[2], verb
    assert said not in ask(laptop(), "who-can", "--snapshot", ESTATE)[2]
