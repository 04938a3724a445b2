"""Wrong usage is one line with the cause and the remedy, exit code 1, and no traceback."""

from pathlib import Path

import pytest

from local.testing.seed import SPEC_FILE
from tests.cli.command import Command
from tests.cli.wrong import WRONG, Wrong, name_of

SEED = str(SPEC_FILE)

HUGE = "a" * 10_000_000
LONG = {
    "a file": (("validate", HUGE), "give the path"),
    "a verb": ((HUGE,), "see ecr-warden --help"),
    "a surplus argument": (("validate", SEED, HUGE), "see ecr-warden validate --help"),
    "an option's value": (("reconcile", "--wait", HUGE), "see ecr-warden reconcile --help"),
    "a time": (("history", "--since", "9" * 10_000_000), "is not a time: write 2h"),
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


@pytest.mark.parametrize("case", WRONG["usage"], ids=name_of)
def test_wrong_usage(command: Command, case: Wrong) -> None:
    argv = tuple(word.replace("SEED", SEED) for word in case["argv"])
    assert_one_line(command, argv, case["says"], case["remedy"])


DEPLOYMENT = "version: 1\nhub: {account: ci, region: eu-central-1}\naccounts: {ci: {id: '111111111111', writes: all}}\n"
SNAPSHOT = '{"schema": 1, "takenAt": "2026-11-24T10:00:00Z", "accounts": {}}'
TAKE_A_SPEC = (
    "validate FILE",
    "validate FILE --json",
    "render FILE",
    "diff FILE SEED",
    "diff SEED FILE",
    "diff SEED SEED --baseline FILE",
    "grant pull shop/checkout FILE --to ci:user/anna",
    "revoke pull shop/checkout FILE --from ci:user/anna",
    "plan FILE --profile ci=x",
    "check FILE --profile ci=x",
    "apply FILE",
    "who-can pull shop/checkout --spec FILE",
    "can-i --as ci:user/anna --spec FILE",
    "report --spec FILE",
    "import --spec FILE",
    "snapshot --spec FILE",
    "what-if --spec FILE --new-spec SEED",
)
TAKE_A_DEPLOYMENT = ("deploy FILE", "deploy FILE --plan", "remove FILE", "remove FILE --plan --yes")
SPEC_MEANT = "give a spec, such as access.yaml"
DEPLOYMENT_MEANT = "give a deployment, such as ecr-warden.yaml"


@pytest.mark.parametrize(
    ("line", "text", "says", "remedy"),
    [
        *((one, DEPLOYMENT, "is a deployment and not a spec; deploy, doctor", SPEC_MEANT) for one in TAKE_A_SPEC),
        *((one, SNAPSHOT, "is a snapshot and not a spec; --snapshot takes it", SPEC_MEANT) for one in TAKE_A_SPEC),
        *((one, "", "is a spec and not a deployment; validate, diff", DEPLOYMENT_MEANT) for one in TAKE_A_DEPLOYMENT),
        *((one, SNAPSHOT, "is a snapshot and not a deployment", DEPLOYMENT_MEANT) for one in TAKE_A_DEPLOYMENT),
    ],
)
def test_one_of_our_files_in_place_of_another_is_said_in_one_sentence(
    command: Command, tmp_path: Path, line: str, text: str, says: str, remedy: str
) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(text or SPEC_FILE.read_text())
    argv = [word.replace("SEED", SEED).replace("FILE", str(file)) for word in line.split()]
    ran = command(*argv)
    assert (ran.code, ran.out == "" or "--json" in argv) == (1, True)
    (said,) = ran.err.splitlines()
    assert said.startswith(f"ecr-warden: {file} {says}")
    assert said.endswith(remedy)


# name: a text whose problems are listed, because it may be meant as either, and a verb
EITHER = {
    "both in one": ("hub: {account: ci, region: eu-central-1}\nrepositories: []", "validate"),
    "accounts alone": ("accounts: {ci: {id: '111111111111', writes: all}}", "validate"),
    "a deployment without a hub": ("accounts: {ci: {id: '111111111111', writes: all}}", "deploy"),
    "no mapping": ("- hub", "validate"),
    "no YAML": ("hub: [", "validate"),
    "nothing": ("", "deploy"),
}


@pytest.mark.parametrize("case", EITHER)
def test_of_a_file_that_may_be_meant_so_the_problems_are_listed(command: Command, tmp_path: Path, case: str) -> None:
    text, verb = EITHER[case]
    file = tmp_path / "file.yaml"
    file.write_text(text)
    ran = command(verb, str(file))
    assert (ran.code, " and not " in ran.err) == (1, False)
    assert "E0" in ran.out + ran.err


def test_a_name_over_the_limit_is_one_line(command: Command) -> None:
    assert_one_line(command, ("validate", "a" * 5000), "cannot be read: File name too long", "give the path")


def test_help_may_be_asked_for_in_a_word(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("help", "grant").code == 0
    assert capsys.readouterr().out.startswith("usage: ecr-warden grant ")


@pytest.mark.parametrize("case", WRONG["profiles"], ids=name_of)
def test_a_profile_that_matches_no_account(command: Command, case: Wrong) -> None:
    options = tuple(word for text in case["profiles"] for word in ("--profile", text))
    assert_one_line(command, ("plan", SEED, *options), case["says"], case["remedy"])


def test_the_same_profile_may_be_given_twice(command: Command) -> None:
    assert command("plan", SEED, "--profile", "ci=x", "--profile", "111111111111=x").code == 2


def test_a_circular_link_is_one_line(command: Command, tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    assert_one_line(command, ("validate", str(loop)), "cannot be read: Too many levels", "give the path")


def test_an_endless_file_is_refused_without_reading_on(command: Command) -> None:
    ran = command("validate", "/dev/zero")
    assert ran.code == 1
    assert ran.out.startswith("E001 /dev/zero:1:5242881 ")


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
