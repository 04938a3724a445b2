"""The scripts of `completion`, as shells use them."""

import subprocess
from pathlib import Path

import pytest

from ecr_warden_cli.verbs.arguments import VERBS
from tests.cli.command import Command

# Calls the function as bash does when the user presses the tab key after the last word.
ASK = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_shtab_ecr_warden
echo "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(command: Command, tmp_path: Path) -> Path:
    """What the command prints for bash, in a folder with a spec."""
    (tmp_path / "access.yaml").touch()
    file = tmp_path / "completion.bash"
    file.write_text(command("completion", "bash").out)
    return file


def test_bash_accepts_it(script: Path) -> None:
    ran = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


COMPLETED = {
    "a verb": (["who"], {"who-can"}),
    "verbs with the same beginning": (
        ["re"],
        {"reconcile", "reject", "remove", "render", "report", "resume", "revoke"},
    ),
    "all verbs": ([""], {*VERBS}),
    "an option": (["who-can", "push", "shop/checkout", "--sn"], {"--snapshot"}),
    "no option of another verb": (["validate", "--sn"], set[str]()),
    "a choice of an argument": (["completion", "z"], {"zsh"}),
    "a file": (["plan", "acc"], {"access.yaml"}),
    "a second file": (["diff", "access.yaml", "acc"], {"access.yaml"}),
    "the file of an option": (["who-can", "--spec", "acc"], {"access.yaml"}),
}


@pytest.mark.parametrize("case", COMPLETED)
def test_bash_completes(case: str, script: Path) -> None:
    words, completed = COMPLETED[case]
    ran = subprocess.run(
        ["bash", "-c", ASK, "bash", script, "ecr-warden", *words],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {*ran.stdout.split()} == completed


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_each_script_knows_every_verb_and_is_not_changed_on_the_way(shell: str, command: Command) -> None:
    printed = command("completion", shell).out
    assert [verb for verb in VERBS if verb not in printed] == []
    assert command("completion", shell, "--json").json == {"schema": 1, "shell": shell, "script": printed[:-1]}


def test_a_second_file_is_completed_in_every_shell(command: Command) -> None:
    zsh, tcsh = (command("completion", shell).out for shell in ("zsh", "tcsh"))
    assert '"*:a target such as' in zsh
    assert '"(*)' not in zsh
    assert tcsh.rstrip().endswith("'p/*/f/'")


def test_zsh_describes_each_verb_by_its_summary(command: Command) -> None:
    script = command("completion", "zsh").out
    summaries = {name: verb.summary.replace("'", "'\"'\"'") for name, verb in VERBS.items()}
    assert [name for name, summary in summaries.items() if f"    {name}:'{summary}'\n" not in script] == []


def test_another_shell_is_refused_with_those_there_are(command: Command) -> None:
    ran = command("completion", "sh")
    assert (ran.code, ran.out) == (1, "")
    assert "'sh' (choose from bash, zsh, tcsh)" in ran.err
