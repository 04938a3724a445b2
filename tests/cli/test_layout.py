"""Of every verb: its example works, its help and its output fit 80 columns, and what takes long says so."""

import argparse
import io
import os
import re
import shlex
import termios
from collections.abc import Iterator
from copy import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden_cli.deployment.wanted import DEFAULT_FILE
from ecr_warden_cli.terminal.console import Exit
from ecr_warden_cli.terminal.folding import fold, width_of
from ecr_warden_cli.verbs.arguments import DOCS, VERBS, parse_arguments, parser_of_all_verbs
from tests.cli.command import Command, Terminal
from tests.cli.scenes import SCENES, begun, verb_of
from tests.cli.test_can_i_hub import with_estate
from tests.cli.test_doctor import TEXT, House
from tests.cli.test_hub import over
from tests.cli.test_json_forms import ROWS
from tests.template.cfn import ROOT

WIDTHS = (80, 50)
# These print data, as their help says: a script, a spec, documents and snapshots as they are, and lines of JSON.
DATA = {"completion", "import", "render", "the spec in force", "snapshot"}


def too_long(text: str, width: int) -> list[str]:
    """The lines of several words that are longer, and no line of a document, a patch or a command."""
    lines = [line for line in text.splitlines() if len(line) > width]
    return [
        line
        for line in lines
        if " " in line.strip() and not re.match(r'\s*(do: )?(["{}+@-]|aws |docker |ecr-warden (grant|deploy) )', line)
    ]


def test_every_verb_has_a_scene() -> None:
    assert {*map(verb_of, SCENES)} == {*VERBS}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scene", [name for name in SCENES if not {name, verb_of(name)} & DATA])
def test_the_output_fits(
    scene: str, width: int, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run, words, stdin = begun(scene, command, tmp_path)
    ran = replace(run, columns=width)(*words, stdin=stdin)
    assert ran.out
    assert too_long(ran.out, width) == []
    assert too_long(ran.err, width) == []


# These are done in an instant: what they read is a file of bounded size, and nothing is asked.
QUICK = {"completion"}


@pytest.mark.parametrize("scene", SCENES)
def test_what_may_take_long_says_so_on_a_terminal_alone(
    scene: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run, words, stdin = begun(scene, command, tmp_path)
    err = replace(run, terminal=True)(*words, stdin=stdin).err
    *shown, last = err.split("\r\x1b[K")
    assert [text for text in shown[1:] if text and not re.fullmatch(r"[a-z].* (\.\.\.|\d+ of \d+)", text)] == []
    assert bool(shown) is (verb_of(scene) not in QUICK)
    assert " ..." not in last


FOLDS = {
    "what fits": ("a line", 6, ["a line"]),
    "between words": ("one two three", 8, ["one two", "  three"]),
    "after a comma in the second half": ("one two, three four", 15, ["one two,", "  three four"]),
    "not after a comma in the first half": ("a, one two three four", 16, ["a, one two three", "  four"]),
    "before a bracket": ("one two a (three four)", 17, ["one two a", "  (three four)"]),
    "under the last column": ("ok   user/one and two", 15, ["ok   user/one", "     and two"]),
    "further in than the line": ("  one two three", 10, ["  one two", "    three"]),
    "never with a word that binds": ("passes through role/one", 18, ["passes", "  through role/one"]),
    "a long word alone": ("see arn:aws:iam::1:role/x now", 12, ["see", "  arn:aws:iam::1:role/x", "  now"]),
    "a long word only": ("arn:aws:iam::1:role/x", 12, ["arn:aws:iam::1:role/x"]),
    "nothing": ("", 12, [""]),
}


@pytest.mark.parametrize("case", FOLDS)
def test_a_line_is_folded(case: str) -> None:
    text, width, lines = FOLDS[case]
    assert [*fold(text, width)] == lines


@given(st.text("ab,;: (", max_size=200), st.integers(10, 90))
def test_a_fold_loses_no_word_and_makes_no_line_too_long(text: str, width: int) -> None:
    lines = [*fold(text, width)]
    assert " ".join(lines).split() == text.split()
    assert [line for line in lines if len(line.rstrip()) > width and " " in line.strip()] == []


WIDTHS_OF = {
    "a file or a pipe": (io.StringIO, {"COLUMNS": "120"}, 80),
    "a terminal": (Terminal, {"COLUMNS": "120"}, 120),
    "a narrow terminal": (Terminal, {"COLUMNS": "9"}, 40),
    "a terminal that does not say": (Terminal, dict[str, str](), 80),
    "a terminal that says nonsense": (Terminal, {"COLUMNS": "wide"}, 80),
}


@pytest.mark.parametrize("case", WIDTHS_OF)
def test_the_width_is_the_terminals_or_80(case: str) -> None:
    stream, environment, width = WIDTHS_OF[case]
    assert width_of(stream(), environment) == width


@pytest.mark.parametrize(("says", "width"), [(0, 80), (30, 40), (100, 100)])
def test_a_terminal_that_says_0_is_as_wide_as_a_file(says: int, width: int) -> None:
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, says))
    with os.fdopen(ours, "rb"), os.fdopen(theirs, "w") as stream:
        assert width_of(stream, {}) == width


def sessions(page: Path) -> Iterator[tuple[str, str]]:
    """Each command that a page shows with what it prints."""
    for text in re.findall(r"^```(?:console)?\n(\$ .*?)\n```$", page.read_text(), re.MULTILINE | re.DOTALL):
        for one in ("\n" + text).split("\n$ ")[1:]:
            line, _, output = one.partition("\n")
            yield line, output


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SESSIONS = [(page.name, line, output) for page in PAGES for line, output in sessions(page)]


@pytest.mark.parametrize(("page", "line", "output"), SESSIONS)
def test_what_the_documentation_shows_fits(page: str, line: str, output: str) -> None:
    assert too_long(output, 80) == [], (page, line)


def test_there_are_sessions() -> None:
    assert len(SESSIONS) >= 20


def helps(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The command, its groups and its verbs."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from helps(verb)


PARSERS = {parser.prog: parser for parser in helps(parser_of_all_verbs())}
EXAMPLES = [
    (prog, " ".join(line.split()))
    for prog, parser in PARSERS.items()
    for line in re.sub(r"\\\n|(?<=\|)\n", "", (parser.epilog or "").partition("\n\n")[0]).splitlines()[1:]
]
# What is in no checkout and asks for no hub: profiles, git, docker, the AWS CLI and what it printed; a report of the
# day; and the IDs of runs, holds and versions.
ELSEWHERE = re.compile(
    r" --profile |main:access|docker pull|aws cloudtrail| --from dump|report --hub|"
    r"(history|rollback|accept|reject) [0-9]\w+$|ack [0-9]|test-alert"
)


def test_every_help_has_an_example_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for prog, parser in PARSERS.items():
        shown = parser.format_help().replace(str(DOCS), "")
        assert "\nexample:\n  " in shown, prog
        assert [line for line in shown.splitlines() if len(line) > 80] == [], prog


def test_the_overview_lists_every_verb_and_the_exit_codes() -> None:
    shown = PARSERS["ecr-warden"].format_help()
    assert [verb for verb in VERBS if f"\n    {verb}" not in shown] == []
    assert "exit codes: 0 fine, 1 error, 2 something differs" in shown
    assert (DOCS / "cli.md").exists()


def test_every_verb_takes_json() -> None:
    assert [prog for prog, parser in PARSERS.items() if "--json" not in parser.format_help()] == ["ecr-warden"]


def test_the_json_of_every_verb_is_documented() -> None:
    page = "".join((ROOT / "docs" / name).read_text() for name in ("cli.md", "schema/command.md"))
    said = {verb for verb in VERBS if f"`{verb}` prints" in page or f"## {verb}\n" in page}
    assert {*VERBS} - {form.split()[0] for form in ROWS} - said == set()


def words_of(line: str) -> tuple[list[str], bytes]:
    """The words of a command line from `ecr-warden` on, and what is on its stdin."""
    line = re.sub(r'^eval "\$\((.*)\)"$', r"\1", line)
    before, _, last = line.rpartition("|")
    command, _, file = last.partition("<")
    stdin = Path(file.strip()).read_bytes() if file else " ".join(shlex.split(before)[1:]).encode()
    return shlex.split(command.partition(">")[0]), stdin


@pytest.mark.parametrize(("prog", "line"), EXAMPLES)
def test_an_example_works_as_pasted(
    prog: str, line: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("examples", "events"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    words, stdin = words_of(line)
    assert " ".join(words).startswith(prog)
    arguments = parse_arguments(words[1:])
    if ELSEWHERE.search(line):
        return
    run = over(with_estate()) if "hub_region" in arguments and not getattr(arguments, "snapshot", None) else command
    if "assume_role" in arguments:
        (tmp_path / DEFAULT_FILE).write_text(TEXT)
        run = House().command()
    ran = run(*words[1:], stdin=stdin)
    assert ran.code != Exit.ERROR, ran.err
