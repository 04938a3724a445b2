"""The wheel, installed where nothing else is: no repository, and only the requirements that it names."""

import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ecr_warden import __version__
from local.aws.launcher import ROOT
from tests.cli.command import unfolded

pytestmark = pytest.mark.thorough

UV = str(ROOT / ".tools" / "bin" / "uv")
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "cli", "layers/access", "layers/warden")
SPEC, ESTATE = (str(ROOT / "examples" / "who-can" / name) for name in ("access.yaml", "estate.json"))

PUSHER = "arn:aws:iam::111111111111:user/push-user"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing of earlier builds gets in."""
    tmp = tmp_path_factory.mktemp("wheel")
    for source in SOURCES:
        (tmp / source).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, tmp / source)
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(tmp), str(tmp))
    [built] = tmp.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel and what it requires, which comes from the environment of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder)
    python = str(folder / "bin" / "python")
    uv("pip", "install", "--python", python, "--no-deps", str(wheel))
    [site] = folder.glob("lib/python*/site-packages")
    [installed] = site.glob("ecr_warden-*.dist-info")
    for needed in required_by(Distribution.at(installed), set()):
        copy(needed, site)
    uv("pip", "check", "--python", python)
    return folder


def uv(*argv: str) -> None:
    """Run uv without the network."""
    done = subprocess.run([UV, *argv, "--offline"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def required_by(one: Distribution, seen: set[str]) -> Iterator[Distribution]:
    """What it requires without any extra, directly or not."""
    for requirement in map(Requirement, one.requires or ()):
        name = canonicalize_name(requirement.name)
        if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        needed = distribution(name)
        yield needed
        yield from required_by(needed, seen)


def copy(one: Distribution, site: Path) -> None:
    """Its packages and modules, without its commands."""
    for file in one.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(str(one.locate_file(file))), site / file)


def run(environment: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """The installed command, outside the repository."""
    return subprocess.run(
        [str(environment / "bin" / "ecr-warden"), *argv],
        capture_output=True,
        text=True,
        env={"HOME": "/nonexistent"},
        cwd=environment,
        check=False,
    )


def test_it_holds_all_data_files_and_nothing_but_the_three_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "iam_access",
        "ecr_warden",
        "ecr_warden_cli",
    }
    assert {name for name in names if not name.endswith(".py") and ".dist-info/" not in name} == {
        "ecr_warden/collect/stacks.json",
        "iam_access/catalogue.json",
        "ecr_warden_cli/page/page.css",
        "ecr_warden_cli/page/page.js",
    }


def test_every_module_of_the_repository_is_in_it(wheel: Path) -> None:
    modules = {
        str(file.relative_to(folder))
        for folder in (ROOT / "layers" / "access", ROOT / "layers" / "warden", ROOT / "cli")
        for file in folder.rglob("*.py")
        if file.relative_to(folder).parts[0].startswith(("iam_access", "ecr_warden"))
    }
    assert {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")} == modules


ANSWERS = {
    "version": (("--version",), 0, f"ecr-warden {__version__}"),
    "help": (("--help",), 0, "usage: ecr-warden [-h] [--version] VERB ..."),
    "validate": (("validate", SPEC), 0, f"{SPEC}: valid"),
    "diff": (("diff", "/dev/null", SPEC), 2, "ci:user/push-user gains push to shop/checkout"),
    "who-can": (("who-can", "push", "shop/checkout", "--snapshot", ESTATE), 0, "push-user"),
    "can-i": (("can-i", "--as", PUSHER, "push", "shop/checkout", "--snapshot", ESTATE), 0, "yes"),
    "import": (("import", "--snapshot", ESTATE), 0, "version: 1"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_needs_no_account_runs(case: str, environment: Path) -> None:
    argv, code, shown = ANSWERS[case]
    ran = run(environment, *argv)
    assert (ran.returncode, shown in unfolded(ran.stdout)) == (code, True), ran.stdout[:2000] + ran.stderr


def test_the_report_is_a_page_with_its_own_style_and_script(environment: Path) -> None:
    ran = run(environment, "report", "--spec", SPEC, "--snapshot", ESTATE, "-o", "report.html")
    assert (ran.returncode, ran.stderr) == (0, "")
    page = (environment / "report.html").read_text()
    for part in ("page.css", "page.js"):
        assert (ROOT / "cli" / "ecr_warden_cli" / "page" / part).read_text().strip() in page, part


def test_without_the_extra_what_reads_accounts_says_what_to_install(environment: Path) -> None:
    ran = run(environment, "snapshot", "--spec", SPEC)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        "ecr-warden: this verb needs boto3; install the extra aws: pip install '.[aws]' in the checkout\n"
    )
