"""Wrong usage is one line with the cause and the remedy, exit code 1, and no traceback."""

from pathlib import Path

import pytest

from local.testing.seed import SPEC_FILE
from tests.cli.command import Command

SEED = str(SPEC_FILE)

# argv, what the line says, what to do about it
USAGE = {
    "a verb that has gone": (("publish", SEED), "publish has gone", "ecr-warden apply FILE uploads a spec"),
    "a group of verbs that has gone": (("spec", "show"), "spec has gone", "ecr-warden versions VERSION"),
    "an option that has gone": (("held", "3f2a", "--accept"), "held --accept has gone", "write ecr-warden accept ID"),
    "an option that has gone, with a value": (("apply", "--rollback=v1"), "--rollback has gone", "rollback VERSION"),
    "an option that has gone from several verbs": (
        ("who-can", "push", "shop/checkout", "--escalate", "--from", "dump"),
        "--escalate",
        "see ecr-warden who-can --help",
    ),
    "a dry run": (("apply", SEED, "--dry-run"), "apply --dry-run has gone", "ecr-warden check FILE"),
    "no verb": ((), "VERB", "see ecr-warden --help"),
    "an unknown verb": (("plann", SEED), "plann", "did you mean plan? see ecr-warden --help"),
    "an unknown option": (("validate", SEED, "--jsn"), "--jsn", "see ecr-warden validate --help"),
    "a shortened option": (("render", SEED, "--onl", "x"), "--onl", "see ecr-warden render --help"),
    "an option of another verb": (("plan", SEED, "--only", "x"), "--only", "see ecr-warden plan --help"),
    "two specs": (("validate", SEED, "other.yaml"), "other.yaml", "see ecr-warden validate --help"),
    "an option without its value": (("plan", SEED, "--profile"), "--profile", "see ecr-warden plan --help"),
    "an invisible character": (
        ("validate", "access\u200b.yaml"),
        "the name contains an invisible character, U+200B (ZERO WIDTH SPACE) after",
        "type it by hand",
    ),
    "an object in S3": (
        ("validate", "s3://bucket/access.yaml"),
        "there is no file s3://bucket",
        "aws s3 cp s3://bucket",
    ),
    "an object in S3, with an invisible character": (
        ("validate", "s3:\u200b//bucket/access.yaml"),
        'U+200B (ZERO WIDTH SPACE) after "s3:"',
        "type it by hand",
    ),
    "an escape sequence": (("validate", SEED, "\x1b[31m"), "\\x1b[31m", "see ecr-warden validate --help"),
    "a misspelt option": (
        ("plan", SEED, "--prfile=x"),
        "--prfile=x",
        "did you mean --profile? see ecr-warden plan --help",
    ),
    "an option that is like none": (("held", "--approve", "3f2a"), "--approve; ", "see ecr-warden held --help"),
    "an option before the verb": (
        ("--yes", "accept", "3f2a"),
        "--yes; ",
        "options come after the verb; see ecr-warden accept",
    ),
    "nothing of what grant needs": (("grant",), "required: ACCESS, REPOSITORY, --to", "see ecr-warden grant --help"),
    "two files to plan": (("plan", SEED, "other.yaml"), "other.yaml", "see ecr-warden plan --help"),
    "a region of the hub that is not asked": (
        ("plan", SEED, "--profile", "ci=x", "--hub-region", "eu-west-1"),
        "--hub-region with --profile ci=x",
        "the hub is not asked",
    ),
    "a snapshot and the hub's region": (
        ("plan", SEED, "--snapshot", SEED, "--hub-region", "eu-west-1"),
        "--hub-region with --snapshot",
        "the hub is not asked",
    ),
    "a snapshot of what is accepted": (("check", "--snapshot", SEED), "--snapshot without FILE", "give the FILE"),
    "an account's profile at the hub": (
        ("plan", "--profile", "ci=x"),
        "--profile ci=x for the hub",
        "give one profile",
    ),
    "two profiles at the hub": (
        ("check", "--profile", "x", "--profile", "y"),
        "--profile y",
        "give one profile",
    ),
}
FILES = {
    "a missing file": (("validate", "no-such.yaml"), "there is no file no-such.yaml", "or - to read"),
    "a directory": (("validate", "/tmp"), "/tmp is a directory", "give the path"),
    "an empty name": (("validate", ""), "the name of the file is empty", "give the path"),
    "a NUL in the name": (("validate", "a\0b"), "a\\x00b cannot be read: embedded null byte", "give the path"),
    "a name over the limit": (("validate", "a" * 5000), "cannot be read: File name too long", "give the path"),
    "a file used as a directory": (("validate", f"{SEED}/x"), "cannot be read: Not a directory", "give the path"),
    "an escape sequence": (("plan", "\x1b[31m.yaml"), "there is no file \\x1b[31m.yaml", "give the path"),
}
PROFILES = {
    "no account": (("=x",), "--profile =x", "write ACCOUNT=PROFILE"),
    "no profile": (("ci=",), "--profile ci=", "write ACCOUNT=PROFILE"),
    "an unknown alias": (("cii=x",), "cii=x: the spec has no such alias", "accounts of the spec are ci, registry"),
    "an unknown account": (
        ("999999999999=x",),
        "the spec has no such account",
        "accounts of the spec are ci, registry",
    ),
    "two profiles for one account": (("ci=x", "111111111111=y"), "already has another profile", "give one"),
    "an escape sequence": (("ci\x1b[31m=x",), "--profile ci\\x1b[31m=x", "accounts of the spec are"),
}


HUGE = "a" * 10_000_000
LONG = {
    "a file": (("validate", HUGE), "give the path"),
    "a verb": ((HUGE,), "see ecr-warden --help"),
    "a surplus argument": (("validate", SEED, HUGE), "see ecr-warden validate --help"),
    "an option's value": (("reconcile", "--wait", HUGE), "see ecr-warden reconcile --help"),
    "a version": (("rollback", HUGE), "see ecr-warden rollback --help"),
    "a profile": (("plan", SEED, "--profile", f"={HUGE}"), "write ACCOUNT=PROFILE"),
    "an address": (("render", SEED, "--only", HUGE), "leave --only out"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("case", LONG)
def test_an_argument_of_10_mb_is_cut_and_the_remedy_is_printed(command: Command, case: str) -> None:
    argv, remedy = LONG[case]
    ran = command(*argv)
    output = ran.out + ran.err
    assert (ran.code, len(output) < 2000) == (1, True)
    assert remedy in output


def assert_one_line(command: Command, argv: tuple[str, ...], named: str, remedy: str) -> None:
    ran = command(*argv)
    assert (ran.code, ran.out) == (1, "")
    (line,) = ran.err.splitlines()
    assert line.startswith("ecr-warden: ")
    assert named in line
    assert remedy in line.split(named, 1)[1]


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage(command: Command, case: str) -> None:
    assert_one_line(command, *USAGE[case])


def test_help_may_be_asked_for_in_a_word(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("help", "grant").code == 0
    assert capsys.readouterr().out.startswith("usage: ecr-warden grant ")


@pytest.mark.parametrize("case", FILES)
def test_an_unreadable_file(command: Command, case: str) -> None:
    assert_one_line(command, *FILES[case])


@pytest.mark.parametrize("case", PROFILES)
def test_a_profile_that_matches_no_account(command: Command, case: str) -> None:
    texts, named, remedy = PROFILES[case]
    options = tuple(word for text in texts for word in ("--profile", text))
    assert_one_line(command, ("plan", SEED, *options), named, remedy)


def test_the_same_profile_may_be_given_twice(command: Command) -> None:
    assert command("plan", SEED, "--profile", "ci=x", "--profile", "111111111111=x").code == 2


def test_a_circular_link_is_one_line(command: Command, tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    assert_one_line(command, ("validate", str(loop)), "cannot be read: Too many levels", "give the path")


def test_an_endless_file_is_refused_without_reading_on(command: Command) -> None:
    ran = command("validate", "/dev/zero")
    assert ran.code == 1
    assert ran.out.startswith("E001 /dev/zero:1:1 ")


@pytest.mark.parametrize("verb", ["render", "plan"])
def test_an_invalid_spec_lists_its_problems_on_stderr(command: Command, verb: str) -> None:
    ran = command(verb, "-", stdin=b"version: 2\n")
    assert (ran.code, ran.out) == (1, "")
    *problems, last = ran.err.splitlines()
    assert [line[:17] for line in problems] == ["E022 <stdin>:1:1 ", "E024 <stdin>:1:10"]
    assert last == "ecr-warden: <stdin> is not valid; see the problems above"


@pytest.mark.parametrize("verb", ["render", "plan"])
def test_json_of_an_invalid_spec_holds_its_problems(command: Command, verb: str) -> None:
    ran = command(verb, "-", "--json", stdin=b"version: 2\n")
    assert ran.code == 1
    assert ran.json["error"]["code"] == "spec-invalid"
    assert [problem["code"] for problem in ran.json["problems"]] == ["E022", "E024"]


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("plan", "--snapshot", SEED, "--json"), "usage"),
        (("validate", "no-such.yaml", "--json"), "spec-unreadable"),
        (("plan", SEED, "--profile", "ci=x", "--profile", "x", "--json"), "usage"),
    ],
)
def test_json_of_an_error_has_the_text_of_the_line(command: Command, argv: tuple[str, ...], code: str) -> None:
    ran = command(*argv)
    error = ran.json["error"]
    assert (ran.code, ran.json["schema"], error["code"]) == (1, 1, code)
    assert ran.err == f"ecr-warden: {error['message']}; {error['remedy']}\n"
