"""The installed command as a process: start-up, exit codes, pipes, signals."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from ecr_warden import __version__
from ecr_warden_cli import entry
from local.testing.seed import SPEC_FILE
from tests.cli.command import unfolded
from tests.template.cfn import ROOT

COMMAND = str(Path(sys.executable).parent / "ecr-warden")
SEED = str(SPEC_FILE)
# Nothing listens on the discard port.
NOBODY = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
NO_CREDENTIALS = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null"}


_INTERRUPTIBLE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


def run(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it with the given environment only."""
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment}
    return subprocess.run(
        [COMMAND, *argv], capture_output=True, text=True, env=clean, cwd=ROOT, timeout=60, check=False
    )


@pytest.mark.parametrize("argv", [["validate"], ["render"], ["diff", SEED]], ids=lambda argv: argv[0])
def test_verbs_without_accounts_load_no_sdk(argv: list[str]) -> None:
    ran = run(*argv, SEED, PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert ran.returncode == 0
    assert "ecr_warden_cli.verbs.main" in imported
    assert not [name for name in imported if name.split(".")[0] in ("boto3", "botocore", "importlib.metadata")]


@pytest.mark.parametrize("argv", [["--help"], ["nonsense"]], ids=lambda argv: argv[0])
def test_the_command_alone_loads_no_verb(argv: list[str]) -> None:
    imported = {line.rpartition("|")[2].strip() for line in run(*argv, PYTHONPROFILEIMPORTTIME="1").stderr.splitlines()}
    verbs = "ecr_warden_cli.verbs"
    assert {name for name in imported if name.startswith(verbs)} == {verbs, f"{verbs}.main", f"{verbs}.arguments"}
    needed = (
        "ecr_warden.access_spec",
        "ecr_warden.audit",
        "ecr_warden.repair",
        "yaml",
        "boto3",
    )
    assert not [name for name in imported if name.startswith(needed)]


@pytest.mark.parametrize(("argv", "code"), [(("validate", SEED), 0), (("validate", "gone"), 1), (("nonsense",), 1)])
def test_exit_codes(argv: tuple[str, ...], code: int) -> None:
    assert run(*argv).returncode == code


CLOSED = {
    "stdin of a document": (("validate", "-"), "<&-", 1),
    "stdout": (("validate", SEED), ">&-", 0),
    "stderr": (("validate", "gone"), "2>&-", 1),
    "a full stdout": (("validate", SEED), ">/dev/full", 1),
    "a full stdout with long output": (("render", SEED), ">/dev/full", 1),
}


@pytest.mark.thorough
@pytest.mark.parametrize("case", CLOSED)
def test_a_closed_or_full_stream_causes_no_traceback(case: str) -> None:
    argv, how, code = CLOSED[case]
    line = f'exec "$0" "$@" {how}'
    ran = subprocess.run(["sh", "-c", line, COMMAND, *argv], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, "Traceback" in ran.stderr) == (code, False)
    if "/dev/full" in how:
        assert ran.stderr == "ecr-warden: the output cannot be written: No space left on device\n"


def test_version() -> None:
    ran = run("--version")
    assert (ran.returncode, ran.stdout) == (0, f"ecr-warden {__version__}\n")


def test_the_help_of_a_verb_ends_with_0() -> None:
    ran = run("validate", "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "example:\n  ecr-warden validate examples/seed/access.yaml\n" in ran.stdout


@pytest.mark.thorough
def test_an_unreachable_hub_is_one_line() -> None:
    where = ("--hub-region", "eu-central-1")
    ran = run("status", *where, **NO_CREDENTIALS)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "there are no AWS credentials; pass --profile PROFILE" in ran.stderr
    for verb in (("status",), ("pause", "all", "--for", "1h", "--reason", "x")):
        ran = run(*verb, *where, **NOBODY)
        assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 1)
        assert "ecr-warden-answer could not be reached" in ran.stderr
    ran = run("status", **NOBODY)
    assert "the hub's region is unknown; pass --hub-region REGION, or set" in ran.stderr
    ran = run("status", *where, "--profile", "nobody", **NO_CREDENTIALS)
    assert "The config profile (nobody) could not be found" in ran.stderr


@pytest.mark.thorough
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "not-a-url"])
def test_an_endpoint_that_does_not_answer_is_one_line(endpoint: str) -> None:
    ran = run("snapshot", "--spec", SEED, **NOBODY | {"AWS_ENDPOINT_URL": endpoint})
    assert (ran.returncode, ran.stdout) == (1, "")
    (line,) = ran.stderr.splitlines()
    assert "AWS does not answer" in line
    assert endpoint in line
    assert line.endswith("AWS_ENDPOINT_URL if it is set")


@pytest.mark.thorough
def test_a_closed_pipe_causes_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run([COMMAND, "render", SEED], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (141, "")


def test_an_interrupt_ends_with_130_and_one_line() -> None:
    with subprocess.Popen(
        # The test run may have inherited ignored interrupts, like a shell's background job.
        [sys.executable, "-c", _INTERRUPTIBLE, COMMAND, "validate", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        # It waits for more input, so it has started.
        process.stdin.write("#" * (1 << 18))
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr == "ecr-warden: interrupted; this command has written no policy\n"


def test_an_interrupt_while_the_command_loads_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loading(ModuleType):
        def __getattr__(self, name: str) -> NoReturn:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "ecr_warden_cli.verbs.main", Loading("main"))
    assert entry.main() == 130
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"ecr-warden": f"{entry.main.__module__}:{entry.main.__name__}"}


def test_output_that_the_terminal_cannot_encode_is_escaped(tmp_path: Path) -> None:
    spec = tmp_path / "Schlüssel.yaml"
    spec.write_bytes(SPEC_FILE.read_bytes())
    ran = run("validate", str(spec), PYTHONIOENCODING="ascii", PYTHONUTF8="1")
    assert (ran.returncode, unfolded(ran.stdout)) == (0, f"{tmp_path}/Schl\\xfcssel.yaml: valid\n")


@pytest.mark.thorough
def test_a_diff_is_the_same_in_every_process(tmp_path: Path) -> None:
    job = '{oidc: gitlab.com, audience: ecr, subject: "project_path:acme/shop:ref_type:branch:ref:main"}'
    spec = (ROOT / SEED).read_text().replace("by: [ci:user/push-user]", f"by: [ci:user/push-user, {job}]")
    (tmp_path / "new.yaml").write_text(spec)
    ran = [run("diff", SEED, str(tmp_path / "new.yaml"), PYTHONHASHSEED=str(seed)) for seed in range(1, 5)]
    given = 'gitlab.com:aud is "ecr" and gitlab.com:sub is "project_path:acme/shop:ref_type:branch:ref:main"'
    assert f"ecr-pusher, if {given}\n" in unfolded(ran[0].stdout)
    assert len({one.stdout for one in ran}) == 1
