"""The wheels as somebody has them who has no checkout: built, and installed where nothing else is."""

import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local.aws.launcher import ROOT

_UV = str(ROOT / ".tools" / "bin" / "uv")


def built_wheels(release: Path, into: Path, root: Path = ROOT) -> tuple[Path, Path]:
    """Those of ecr-warden, with this release, and of iam-access, by the checkout in `root`."""
    subprocess.run([sys.executable, str(root / "tools" / "wheels.py"), str(release), str(into)], check=True)
    command, library = sorted(into.glob("*.whl"))
    return command, library


def install(wheels: Sequence[Path], environment: Path) -> None:
    """Make an environment of the wheels, and of what they need of others as it stands in that of the tests."""
    venv.create(environment)
    python = str(environment / "bin" / "python")
    _uv("pip", "install", "--python", python, "--no-deps", *map(str, wheels))
    [site] = environment.glob("lib/python*/site-packages")
    ours = [*Distribution.discover(path=[str(site)])]
    seen = {str(canonicalize_name(one.name)) for one in ours}
    for needed in [needed for one in ours for needed in _required_by(one, seen)]:
        _copy(needed, site)
    _uv("pip", "check", "--python", python)


def _uv(*argv: str) -> None:
    subprocess.run([_UV, *argv, "--offline", "--quiet"], check=True)


def _required_by(one: Distribution, seen: set[str]) -> Iterator[Distribution]:
    """What it requires without any extra, directly or not."""
    for requirement in map(Requirement, one.requires or ()):
        name = canonicalize_name(requirement.name)
        if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        needed = distribution(name)
        yield needed
        yield from _required_by(needed, seen)


def _copy(one: Distribution, site: Path) -> None:
    """Its packages and modules, without its commands."""
    for file in one.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(str(one.locate_file(file))), site / file)
