"""What the layer installs is what uv.lock has, by its hashes; what is pinned beside it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ecr_warden import __version__
from tests.template.cfn import ROOT

LAYER = ROOT / "layers" / "warden"
NAME = r"[A-Za-z0-9_.-]+"
LOCK: dict[str, dict[str, Any]] = {one["name"]: one for one in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}


def _required(*files: Path) -> set[str]:
    """The packages that the requirements need, with all that these need; but for the library, which is built here."""
    lines = [line for file in files for line in file.read_text().splitlines()]
    waiting = [re.split("[=<>]", line)[0].lower() for line in lines if not line.startswith("iam-access")]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += (one["name"] for one in LOCK[name].get("dependencies", ()))
    return found


def _locked(file: Path) -> dict[str, tuple[str, set[str]]]:
    """The version and hashes of each package that is installed by a file."""
    text = file.read_text().replace("\\\n", " ")
    lines = [re.fullmatch(rf"({NAME})==(\S+)((?: +--hash=sha256:[0-9a-f]{{64}})+)", line) for line in text.splitlines()]
    assert None not in lines
    return {one[1]: (one[2], {*re.findall("sha256:[0-9a-f]+", one[3])}) for one in lines if one is not None}


OF_LAYER, OF_COMMAND = LAYER / "requirements.txt", ROOT / "cli" / "requirements.txt"
INSTALLED = {
    "the layer": (LAYER / "requirements.lock", _required(OF_LAYER)),
    "the action": (ROOT / "cli" / "requirements.lock", _required(OF_LAYER, OF_COMMAND) | {"setuptools"}),
}


@pytest.mark.parametrize("name", INSTALLED)
def test_what_is_installed_is_what_is_locked(name: str) -> None:
    file, required = INSTALLED[name]
    found = _locked(file)
    assert found.keys() == required, "run: make lock"
    for name, (version, hashes) in found.items():
        package = LOCK[name]
        files = [*package["wheels"], *filter(None, [package.get("sdist")])]
        assert (version, hashes) == (package["version"], {one["hash"] for one in files}), "run: make lock"


def test_the_command_needs_the_library_at_exactly_their_one_version() -> None:
    library = tomllib.loads((ROOT / "layers" / "access" / "pyproject.toml").read_text())["project"]
    assert library["version"] == __version__
    assert f"iam-access=={__version__}" in (ROOT / "cli" / "requirements.txt").read_text().splitlines()


# What the command calls, and the first boto3 that has it; an older one refuses it before it calls AWS.
FIRST = {
    "cloudformation:CreateChangeSet with DeploymentMode": (1, 40, 76),
    "cloudformation:DescribeEvents": (1, 40, 76),
}


@pytest.mark.parametrize("call", FIRST)
def test_the_command_needs_a_boto3_that_has_what_it_calls(call: str) -> None:
    [least] = re.findall(r"^boto3>=([\d.]+)$", (ROOT / "cli" / "requirements.txt").read_text(), re.MULTILINE)
    assert tuple(map(int, least.split("."))) >= FIRST[call]


def test_each_action_of_others_is_pinned() -> None:
    files = [ROOT / "action.yml", *(ROOT / ".github" / "workflows").iterdir()]
    used = re.findall(r"uses: (?!\./)(.*)", "".join(file.read_text() for file in files))
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\S+", one)] == []


def test_the_layer_installs_nothing_without_a_hash() -> None:
    (install,) = re.findall(r"pip install .*?\|\|", (LAYER / "Makefile").read_text(), re.DOTALL)
    assert "--require-hashes" in install
    assert re.findall(r"--requirement (\S+)", install) == ["requirements.lock"]
