"""The tools for pull requests: the steps of action.yml and of docs/how-to.md, run in a git repository.

`gh`, `aws`, `curl`, `pip` and the python that installs are stubs that record what they were called with.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ecr_warden_cli.verbs.arguments import parse_arguments
from tests import tables
from tests.template.cfn import ROOT

pytestmark = pytest.mark.thorough

ACTION = tables.load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"] if "name" in step}
PAGE = (ROOT / "docs/how-to.md").read_text().partition("## Change the spec by pull requests\n")[2].partition("\n## ")[0]
EXAMPLES = [tables.load(text) for text in re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)]
BINARIES = Path(sys.executable).parent
OLD = """\
version: 1
accounts:
  ci: {id: "111111111111"}
  registry: {id: "222222222222", regions: [eu-central-1]}
repositories:
  - {name: shop/checkout, account: registry, pull: [ci:user/ann]}
"""
NEW = OLD.replace("[ci:user/ann]", "[ci:user/ann, ci:user/eve]")
STUB = """\
#!/bin/sh
{ printf '%s' "${0##*/}"; for one in "$@"; do printf '\\t%s' "$one"; done; printf '\\n'; } >> "$CALLS"
case "$*" in *--paginate*) printf '%s' "$KNOWN_COMMENTS"; exit "${MAY_READ:-0}";; esac
case "$0" in *python) mkdir -p "$3/bin"; cp "$0" "$3/bin/pip";; esac
exit "${MAY_WRITE:-0}"
"""


@dataclass(slots=True)
class Runner:
    """A checkout whose first commit is the base of the pull request, and what a runner sets."""

    root: Path
    inputs: Mapping[str, str] = field(default_factory=lambda: {"spec": "access.yaml"})
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """A step of the action, as GitHub runs it."""
        step = STEPS[name]
        given = {key: self._filled(value) for key, value in step.get("env", {}).items()}
        return self.bash(step["run"], given)

    def bash(self, script: str, given: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        temp = self.root / "temp"
        environment = {
            "PATH": f"{self.root / 'stubs'}:{BINARIES}:{os.environ['PATH']}",
            "HOME": str(self.root),
            "RUNNER_TEMP": str(temp),
            "GITHUB_ACTION_PATH": str(ROOT),
            "CALLS": str(self.root / "calls"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary"),
            "GITHUB_PATH": str(temp / "path"),
            **self.environment,
            **given,
        }
        argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        where = self.root / "checkout"
        return subprocess.run(argv, cwd=where, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def _filled(self, text: str) -> str:
        values = {
            **{f"inputs.{name}": value for name, value in self.inputs.items()},
            "github.event.pull_request.base.sha": self.base,
            "github.event.pull_request.number": "7",
            "github.repository": "owner/access",
            "inputs.token": "ghs_token",
        }
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: values[found[1]], text)

    @property
    def base(self) -> str:
        return self.git("rev-parse", "HEAD")

    def git(self, *argv: str) -> str:
        ran = subprocess.run(["git", *argv], cwd=self.root / "checkout", capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    @property
    def calls(self) -> list[list[str]]:
        path = self.root / "calls"
        return [line.split("\t") for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def comment(self) -> str:
        return (self.root / "temp/ecr-warden.md").read_text()

    def write(self, text: str) -> None:
        (self.root / "checkout" / self.inputs["spec"]).write_text(text)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    for name in ("stubs", "temp", "checkout"):
        (tmp_path / name).mkdir()
    for name in ("gh", "aws", "curl", "pip", "python"):
        stub = tmp_path / "stubs" / name
        stub.write_text(STUB)
        stub.chmod(0o755)
    made = Runner(tmp_path)
    made.git("init", "-q", "-b", "main")
    made.git("remote", "add", "origin", ".")
    made.write(OLD)
    made.git("add", "access.yaml")
    made.git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "first")
    return made


def test_no_script_contains_an_expression() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert len(scripts) == 7
    assert not [script for script in scripts if "${{" in script]


def test_every_third_party_action_is_pinned_by_its_commit_with_the_version_beside_it() -> None:
    used = re.findall(r"uses: (.+)", (ROOT / "action.yml").read_text() + PAGE)
    assert len(used) == 6
    pinned = r"[\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"
    assert {name for name in used if not re.fullmatch(pinned, name)} == {"OWNER/ecr-warden@VERSION"}


def test_the_steps_of_a_pull_request_and_of_a_merge_exclude_each_other() -> None:
    names = [step["name"] if "name" in step else step["uses"].partition("@")[0] for step in ACTION["runs"]["steps"]]
    conditions = {name: step.get("if", "") for name, step in zip(names, ACTION["runs"]["steps"], strict=True)}
    ours = {
        name for name, condition in conditions.items() if condition.startswith("github.event_name == 'pull_request'")
    }
    others = {name for name, one in conditions.items() if one.startswith("github.event_name != 'pull_request'")}
    assert ours == {"Compare", "Comment", "Fail if the spec cannot be compared"}
    assert others == {"Validate", "Decide whether to apply"}
    assert "inputs.apply != 'false'" in conditions["Decide whether to apply"]
    decided = {name for name, one in conditions.items() if one == "steps.decide.outputs.apply == 'true'"}
    assert decided == {"Apply", "aws-actions/configure-aws-credentials"}


EVENTS = {
    ("push", "refs/heads/main"): True,
    ("workflow_dispatch", "refs/heads/main"): True,
    ("push", "refs/heads/other"): False,
    ("push", "refs/heads/main/x"): False,
    ("push", "refs/tags/main"): False,
    ("pull_request_target", "refs/heads/main"): False,
    ("workflow_run", "refs/heads/main"): False,
    ("issue_comment", "refs/heads/main"): False,
}


@pytest.mark.parametrize(("event", "ref"), EVENTS)
def test_only_the_default_branch_applies(runner: Runner, event: str, ref: str) -> None:
    output = runner.root / "temp/output"
    output.touch()
    given = {"GITHUB_OUTPUT": str(output), "EVENT": event, "REF": ref, "BRANCH": "main"}
    ran = runner.bash(STEPS["Decide whether to apply"]["run"], given)
    applied = output.read_text() == "apply=true\n"
    assert (ran.returncode, applied) == (0, EVENTS[event, ref])
    assert ("::warning::not applied" in ran.stdout) is not applied


def test_without_a_default_branch_nothing_is_applied(runner: Runner) -> None:
    given = {"GITHUB_OUTPUT": str(runner.root / "temp/output"), "EVENT": "push", "REF": "refs/heads/", "BRANCH": ""}
    assert runner.bash(STEPS["Decide whether to apply"]["run"], given).returncode == 1
    assert not (runner.root / "temp/output").exists()


def test_the_command_is_installed_from_the_action_itself(runner: Runner) -> None:
    assert runner.run("Install").returncode == 0
    quietly = ["pip", "--quiet", "--disable-pip-version-check", "install"]
    assert runner.calls[-2:] == [
        [*quietly, "--require-hashes", "--only-binary", ":all:", "--requirement", "cli/requirements.lock"],
        [*quietly, "--no-deps", "--no-build-isolation", "./layers/access", "."],
    ]
    assert {*(runner.root / "temp/path").read_text().splitlines()} == {f"{runner.root}/temp/ecr-warden/bin"}


def test_a_change_is_commented_once_and_then_updated(runner: Runner) -> None:
    runner.write(NEW)
    assert runner.run("Compare").returncode == 0
    assert runner.comment.splitlines() == [
        "<!-- ecr-warden diff of access.yaml -->",
        "**Once it is uploaded, this version takes effect by itself.**",
        "",
        "**Access: 1 gain (1 principal, 1 repository), by the texts alone: no account was read; "
        "this is only observed: it says mode: observe.**",
        "",
        "- `ci:user/eve` gains pull from `shop/checkout`",
    ]
    assert (runner.root / "temp/summary").read_text() == runner.comment
    assert runner.run("Comment").returncode == 0
    looked, posted = runner.calls
    assert looked[1:4] == ["api", "--paginate", "repos/owner/access/issues/7/comments"]
    body = f"body=@{runner.root}/temp/ecr-warden.md"
    assert posted == ["gh", "api", "--silent", "--method", "POST", "repos/owner/access/issues/7/comments", "-F", body]
    runner.environment["KNOWN_COMMENTS"] = "41\n42\n"
    assert runner.run("Comment").returncode == 0
    assert runner.calls[-1] == [
        *("gh", "api", "--silent", "--method", "PATCH", "repos/owner/access/issues/comments/41", "-F", body)
    ]
    assert runner.run("Fail if the spec cannot be compared").returncode == 0


@pytest.mark.parametrize("right", ["MAY_READ", "MAY_WRITE"])
def test_a_token_that_may_not_comment_is_a_warning(right: str, runner: Runner) -> None:
    runner.write(NEW)
    assert runner.run("Compare").returncode == 0
    runner.environment[right] = "1"
    ran = runner.run("Comment")
    assert ran.returncode == 0
    assert ran.stdout.startswith("::warning::the token may not comment")


def test_nothing_changes(runner: Runner) -> None:
    runner.write(OLD + "# a remark\n")
    assert runner.run("Compare").returncode == 0
    assert runner.comment.splitlines()[1:] == ["**Access: nothing changes.**"]


def test_a_spec_that_is_not_valid_fails_after_it_was_commented(runner: Runner) -> None:
    runner.write(NEW.replace("registry, pull", "registri, pull"))
    assert runner.run("Compare").returncode == 0
    assert runner.comment.splitlines()[1] == "**The spec cannot be compared:**"
    assert runner.comment.splitlines()[3].startswith("    E103 access.yaml:6:36 unknown account")
    assert runner.run("Comment").returncode == 0
    assert runner.run("Fail if the spec cannot be compared").returncode == 1


def test_a_pull_request_that_adds_or_deletes_the_spec(runner: Runner) -> None:
    (runner.root / "checkout/access.yaml").unlink()
    assert runner.run("Compare").returncode == 0
    assert "1 loss" in runner.comment
    runner.inputs = {"spec": "other.yaml"}
    runner.write(NEW)
    assert runner.run("Compare").returncode == 0
    assert "2 gains" in runner.comment


def test_no_text_of_a_pull_request_is_run(runner: Runner) -> None:
    runner.inputs = {"spec": "$(touch pwned); `touch pwned`\n--> x.yaml"}
    runner.write(NEW.replace("shop/checkout", '"$(touch pwned)"'))
    assert runner.run("Compare").returncode == 0
    assert runner.run("Comment").returncode == 0
    assert sorted(path.name for path in (runner.root / "checkout").iterdir() if path.name != ".git") == [
        *("$(touch pwned); `touch pwned`\n--> x.yaml", "access.yaml")
    ]
    first, *rest = runner.comment.splitlines()
    assert first == "<!-- ecr-warden diff of touchpwnedtouchpwnedx.yaml -->"
    assert all(line.startswith("    ") or line in ("", "**The spec cannot be compared:**") for line in rest)


def applied(runner: Runner, how: str) -> subprocess.CompletedProcess[str]:
    bucket = "ecr-warden-spec-111111111111-eu-central-1"
    runner.inputs = {"spec": "access.yaml", "bucket": bucket, "region": "eu-central-1", "apply": how}
    return runner.run("Apply")


def test_a_merge_applies_what_is_valid(runner: Runner) -> None:
    assert runner.run("Validate").returncode == 0
    assert applied(runner, "true").returncode == 0
    bucket = "s3://ecr-warden-spec-111111111111-eu-central-1/access.yaml"
    assert runner.calls == [["aws", "s3", "cp", "access.yaml", bucket]]
    runner.write("versio: 1\n")
    assert runner.run("Validate").returncode == 1


def test_a_merge_is_recorded_in_the_name_of_the_role(runner: Runner) -> None:
    command = runner.root / "stubs/ecr-warden"
    command.write_text(STUB)
    command.chmod(0o755)
    assert applied(runner, "recorded").returncode == 0
    assert runner.calls == [
        ["ecr-warden", "apply", "access.yaml", "--yes", "--no-wait", "--hub-region", "eu-central-1"]
    ]
    parse_arguments(runner.calls[0][1:])


def test_another_way_to_apply_is_an_error(runner: Runner) -> None:
    ran = applied(runner, "yes")
    assert (ran.returncode, ran.stdout) == (1, "::error::apply is false, true or recorded\n")
    assert runner.calls == []


def test_the_page_gives_only_inputs_that_there_are() -> None:
    (workflow,) = (one for one in EXAMPLES if "jobs" in one)
    given = [step["with"] for job in workflow["jobs"].values() for step in job["steps"] if "with" in step]
    assert len(given) == 2
    assert {name for one in given for name in one} <= ACTION["inputs"].keys()


def test_the_script_for_gitlab(runner: Runner) -> None:
    (job,) = (one["access"] for one in EXAMPLES if "access" in one)
    runner.write(NEW)
    given: dict[str, Any] = {
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": runner.base,
        "CI_API_V4_URL": "https://gitlab/api/v4",
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "7",
        "COMMENT_TOKEN": "secret",
    }
    for line in job["script"]:
        ran = runner.bash(line, given)
        assert ran.returncode == 0, ran.stderr
    installed, commented = runner.calls
    assert installed[:2] == ["pip", "install"]
    assert commented[-2:] == ["body@diff.md", "https://gitlab/api/v4/projects/3/merge_requests/7/notes"]
    assert (
        (runner.root / "checkout/diff.md")
        .read_text()
        .startswith("**Once it is uploaded, this version takes effect by itself.**")
    )


def test_the_hook_validates_the_file_that_it_watches(runner: Runner) -> None:
    (hook,) = tables.load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (config,) = (one for one in EXAMPLES if "repos" in one)
    assert [one["id"] for one in config["repos"][0]["hooks"]] == [hook["id"]]
    assert re.search(hook["files"], "access.yaml")
    assert not re.search(hook["files"], "access-yaml.md")
    assert hook["pass_filenames"] is False
    script = " ".join([hook["entry"], *hook["args"]])
    assert runner.bash(script, {}).returncode == 0
    runner.write("versio: 1\n")
    assert runner.bash(script, {}).returncode == 1


def test_the_policies_of_the_page_are_documents() -> None:
    trust, upload = (json.loads(text) for text in re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL))
    assert trust["Statement"][0]["Condition"]["StringEquals"].keys() == {
        *("token.actions.githubusercontent.com:aud", "token.actions.githubusercontent.com:sub")
    }
    assert upload["Statement"][0]["Action"] == "s3:PutObject"
