"""What is in the layer and what is not, and that its byte code is that of its sources."""

import marshal
import os
import subprocess
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from types import CodeType

import pytest

from local.aws.launcher import ROOT
from local.testing.runtime_api import INTERPRETER

MEGABYTE = 1_000_000
# By hash, not by time, and the source is not read again (https://peps.python.org/pep-0552/).
UNCHECKED_HASH = 1
IMPORT_ALL = """
import importlib, pkgutil, sys, yaml
for module in pkgutil.walk_packages([sys.argv[1]]):
    importlib.import_module(module.name)
print(yaml.__with_libyaml__, yaml.safe_load("a: [1, x]"))
"""


def modules(layer: Path) -> Iterator[Path]:
    """The sources of all modules."""
    found = sorted(layer.rglob("*.py"))
    assert len(found) > 200
    yield from found


def contents(folder: Path) -> dict[str, bytes]:
    """Each file by its path in a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_it_has_at_most_7_5_mb_unzipped(layer: Path) -> None:
    assert sum(map(len, contents(layer).values())) <= 7.5 * MEGABYTE


def test_it_holds_the_package_its_requirements_and_nothing_else(layer: Path) -> None:
    parts = {part.name for part in layer.iterdir() if part.suffix != ".dist-info"}
    requirements = {"aws_lambda_powertools", "msgspec", "typing_extensions.py", "yaml"}
    assert parts == {"ecr_warden", *requirements, "__pycache__"}
    assert [part.name for part in layer.parent.iterdir()] == ["python"]


def test_it_holds_no_tests_and_nothing_of_the_laptop(layer: Path) -> None:
    tests = ("tests", "test_*.py", "conftest.py", "*.egg-info", "memory*.py")
    for never in (*tests, "boto3", "local", "bench", "ecr_warden_cli", "bin", "requirements.txt", "Makefile"):
        assert list(layer.rglob(never)) == [], never


def test_its_only_compiled_module_is_there_for_both_of_lambdas_architectures(layer: Path) -> None:
    assert {str(file.relative_to(layer)) for file in layer.rglob("*.so*")} == {
        "msgspec/_core.cpython-313-aarch64-linux-gnu.so",
        "msgspec/_core.cpython-313-x86_64-linux-gnu.so",
    }
    assert {file.suffix for file in layer.rglob("*") if file.is_file()} == {".py", ".pyc", ".so", ".json", ".typed", ""}
    assert {file.name for file in layer.rglob("*") if file.is_file() and not file.suffix} == {"METADATA", "LICENSE"}


def test_every_requirement_keeps_its_licence_and_says_what_it_is(layer: Path) -> None:
    described = sorted(layer.glob("*.dist-info"))
    assert [part.name.split("-")[0] for part in described] == [
        "aws_lambda_powertools",
        "msgspec",
        "pyyaml",
        "typing_extensions",
    ]
    for part in described:
        assert {file.name for file in part.rglob("*") if file.is_file()} == {"METADATA", "LICENSE"}, part.name


def test_every_module_has_the_byte_code_of_its_source(layer: Path) -> None:
    for source in modules(layer):
        compiled = Path(cache_from_source(str(source))).read_bytes()
        assert compiled[:4] == MAGIC_NUMBER, source
        assert int.from_bytes(compiled[4:8], "little") == UNCHECKED_HASH, source
        assert compiled[8:16] == source_hash(source.read_bytes()), f"the byte code of {source} is stale"


def test_no_byte_code_is_left_without_its_source(layer: Path) -> None:
    assert {*layer.rglob("*.pyc")} == {Path(cache_from_source(str(source))) for source in modules(layer)}


def test_byte_code_names_the_place_on_lambda_and_not_that_of_the_build(layer: Path) -> None:
    for source in modules(layer):
        code = marshal.loads(Path(cache_from_source(str(source))).read_bytes()[16:])
        assert isinstance(code, CodeType)
        assert code.co_filename == f"/opt/python/{source.relative_to(layer)}"


def test_byte_code_carries_no_docstrings(layer: Path) -> None:
    documented = (layer / "ecr_warden" / "model" / "job.py").read_text().splitlines()[0].strip('"')
    compiled = cache_from_source(str(layer / "ecr_warden" / "model" / "job.py"))
    assert documented.encode() not in Path(compiled).read_bytes()


@pytest.mark.thorough
def test_another_build_in_another_place_gives_the_same_bytes(layer: Path, tmp_path: Path) -> None:
    """Else each deployment would make a new version of a layer in which nothing changed."""
    path = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ["PATH"]])
    subprocess.run(
        ["make", "build-WardenLayer"],
        cwd=ROOT / "layers" / "warden",
        env={**os.environ, "PATH": path, "ARTIFACTS_DIR": str(tmp_path), "PYTHONHASHSEED": "1"},
        check=True,
    )
    again, before = contents(tmp_path / "python"), contents(layer)
    assert [name for name in again.keys() | before.keys() if again.get(name) != before.get(name)] == []


def test_every_module_can_be_imported_next_to_lambdas_own_and_yaml_is_read_without_its_compiled_part(
    layer: Path,
) -> None:
    """Nothing that was kept imports what was left out of powertools, PyYAML and msgspec."""
    environment = {"PYTHONPATH": str(layer), "PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "eu-central-1"}
    done = subprocess.run(
        [str(INTERPRETER), "-c", IMPORT_ALL, str(layer)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("False {'a': [1, 'x']}\n", "")


def test_a_function_is_its_handler_alone(layer: Path) -> None:
    built = layer.parents[1]
    for name in ("Dispatch", "Reconcile", "Alert"):
        assert [file.name for file in (built / f"{name}Function").rglob("*")] == ["app.py"]
