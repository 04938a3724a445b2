"""The wheels, installed where nothing else is: no repository, and only the requirements that they name."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from ecr_warden import __version__
from local.aws.deploy import built_release
from local.aws.launcher import ROOT
from local.testing.wheels import built_wheels, install
from tests.cli.command import unfolded

pytestmark = pytest.mark.thorough

SPEC, ESTATE = (str(ROOT / "examples" / "who-can" / name) for name in ("access.yaml", "estate.json"))
PUSHER = "arn:aws:iam::111111111111:user/push-user"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def wheels(release: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return built_wheels(release, tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def environment(wheels: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheels and what they require."""
    folder = tmp_path_factory.mktemp("installed")
    install(wheels, folder)
    return folder


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


def test_each_holds_its_own_modules_and_data_files_and_nothing_else(wheels: tuple[Path, Path], release: Path) -> None:
    carried = {f"ecr_warden_cli/release/{path.name}" for path in release.iterdir()}
    example = {f"ecr_warden_cli/example/{name}" for name in ("access.yaml", "estate.json")}
    data = {"ecr_warden/collect/stacks.json", "ecr_warden_cli/page/page.css", "ecr_warden_cli/page/page.js"}
    pages = {f"ecr_warden_cli/{page.relative_to(ROOT)}" for page in _pages()}
    held = [
        (("layers/warden/ecr_warden", "cli/ecr_warden_cli"), data | carried | example | pages),
        (("layers/access/iam_access",), {"iam_access/catalogue.json"}),
    ]
    for wheel, (packages, files) in zip(wheels, held, strict=True):
        folders = [ROOT / package for package in packages]
        modules = {str(file.relative_to(folder.parent)) for folder in folders for file in folder.rglob("*.py")}
        names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
        assert names == modules | files


def _pages() -> list[Path]:
    return [path for path in (ROOT / "docs").rglob("*.*") if path.suffix != ".png"]


def test_the_help_says_where_the_pages_are_that_answers_name(environment: Path) -> None:
    shown = run(environment, "--help").stdout
    folder = Path(shown.splitlines()[-1].strip())
    assert folder.is_relative_to(environment)
    assert {page.relative_to(ROOT / "docs") for page in _pages()} == {
        page.relative_to(folder) for page in folder.rglob("*.*")
    }


def test_the_command_finds_the_release_that_it_carries(environment: Path, release: Path) -> None:
    code = "from ecr_warden_cli.deployment.release import load_release; print(*sorted(load_release({}).code))"
    argv = [str(environment / "bin" / "python"), "-c", code]
    ran = subprocess.run(argv, capture_output=True, text=True, env={}, cwd=environment, check=True)
    assert ran.stdout.split() == sorted(path.name for path in release.glob("*.zip"))


ANSWERS = {
    "version": (("--version",), 0, f"ecr-warden {__version__}"),
    "help": (("--help",), 0, "usage: ecr-warden [-h] [--version] VERB ..."),
    "validate": (("validate", SPEC), 0, f"{SPEC}: valid"),
    "diff": (("diff", "/dev/null", SPEC), 2, "ci:user/push-user gains push to shop/checkout"),
    "who-can": (("who-can", "push", "shop/checkout", "--example"), 0, "example/access.yaml:13  ci:user/push-user"),
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
