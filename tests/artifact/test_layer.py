"""What is in the layers and what is not, and that their byte code is that of their sources."""

import marshal
import os
import subprocess
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from types import CodeType

import pytest

from local.aws.launcher import ROOT
from local.testing.runtime_api import INTERPRETER, BuiltFunction

MEGABYTE = 1_000_000
# By hash, not by time, and the source is not read again (https://peps.python.org/pep-0552/).
UNCHECKED_HASH = 1
IMPORT_ALL = """
import importlib, pkgutil, sys, yaml
for module in pkgutil.walk_packages(sys.argv[1].split(":")):
    importlib.import_module(module.name)
print(yaml.__with_libyaml__, yaml.safe_load("a: [1, x]"))
"""


@pytest.fixture(params=["access", "warden"])
def either(request: pytest.FixtureRequest, access_layer: Path, layer: Path) -> Path:
    """Each of the layers."""
    return access_layer if request.param == "access" else layer


def modules(layer: Path) -> Iterator[Path]:
    """The sources of all modules."""
    found = sorted(layer.rglob("*.py"))
    assert len(found) > 60
    yield from found


def contents(folder: Path) -> dict[str, bytes]:
    """Each file by its path in a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_together_they_have_at_most_8_mb_unzipped(access_layer: Path, layer: Path) -> None:
    sizes = (len(text) for each in (access_layer, layer) for text in contents(each).values())
    assert sum(sizes) <= 8 * MEGABYTE


def test_third_party_code_lies_in_one_of_them(access_layer: Path) -> None:
    assert {part.name for part in access_layer.iterdir()} == {"iam_access"}


def test_it_holds_the_package_its_requirements_and_nothing_else(layer: Path) -> None:
    parts = {part.name for part in layer.iterdir() if part.suffix != ".dist-info"}
    requirements = {"aws_lambda_powertools", "msgspec", "typing_extensions.py", "yaml"}
    assert parts == {"ecr_warden", *requirements, "__pycache__"}
    assert [part.name for part in layer.parent.iterdir()] == ["python"]


def test_it_holds_no_tests_and_nothing_of_the_laptop(either: Path) -> None:
    tests = ("tests", "test_*.py", "conftest.py", "*.egg-info", "memory*.py")
    for never in (*tests, "boto3", "local", "bench", "ecr_warden_cli", "bin", "requirements.txt", "Makefile"):
        assert list(either.rglob(never)) == [], never


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


def test_every_module_has_the_byte_code_of_its_source(either: Path) -> None:
    for source in modules(either):
        compiled = Path(cache_from_source(str(source))).read_bytes()
        assert compiled[:4] == MAGIC_NUMBER, source
        assert int.from_bytes(compiled[4:8], "little") == UNCHECKED_HASH, source
        assert compiled[8:16] == source_hash(source.read_bytes()), f"the byte code of {source} is stale"


def test_no_byte_code_is_left_without_its_source(either: Path) -> None:
    assert {*either.rglob("*.pyc")} == {Path(cache_from_source(str(source))) for source in modules(either)}


def test_byte_code_names_the_place_on_lambda_and_not_that_of_the_build(either: Path) -> None:
    for source in modules(either):
        code = marshal.loads(Path(cache_from_source(str(source))).read_bytes()[16:])
        assert isinstance(code, CodeType)
        assert code.co_filename == f"/opt/python/{source.relative_to(either)}"


def test_byte_code_carries_no_docstrings(layer: Path) -> None:
    documented = (layer / "ecr_warden" / "core" / "job.py").read_text().splitlines()[0].strip('"')
    compiled = cache_from_source(str(layer / "ecr_warden" / "core" / "job.py"))
    assert documented.encode() not in Path(compiled).read_bytes()


@pytest.mark.thorough
def test_another_build_in_another_place_gives_the_same_bytes(either: Path, tmp_path: Path) -> None:
    """Else each deployment would make a new version of a layer in which nothing changed."""
    path, name = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ["PATH"]]), either.parent.name
    subprocess.run(
        ["make", f"build-{name}"],
        cwd=ROOT / "layers" / name.removesuffix("Layer").lower(),
        env={**os.environ, "PATH": path, "ARTIFACTS_DIR": str(tmp_path), "PYTHONHASHSEED": "1"},
        check=True,
    )
    again, before = contents(tmp_path / "python"), contents(either)
    assert [name for name in again.keys() | before.keys() if again.get(name) != before.get(name)] == []


def test_every_module_can_be_imported_next_to_lambdas_own_and_yaml_is_read_without_its_compiled_part(
    access_layer: Path, layer: Path
) -> None:
    """Nothing that was kept imports what was left out of powertools, PyYAML and msgspec."""
    both = os.pathsep.join(map(str, (access_layer, layer)))
    environment = {"PYTHONPATH": both, "PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "eu-central-1"}
    done = subprocess.run(
        [str(INTERPRETER), "-c", IMPORT_ALL, both], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("False {'a': [1, 'x']}\n", "")


@pytest.mark.parametrize(("layer_left", "missing"), [("AccessLayer", "ecr_warden"), ("WardenLayer", "iam_access")])
def test_a_function_without_one_of_its_layers_names_the_package_that_is_missing(
    layer: Path, layer_left: str, missing: str
) -> None:
    built = layer.parents[1]
    for name in ("Dispatch", "Reconcile", "Alert"):
        code = built / f"{name}Function"
        with BuiltFunction(name, code=code, layers=[built / layer_left], environment={}) as function:
            answer = function.invoke({})
        assert answer.failed
        assert answer.value["errorMessage"] == f"Unable to import module 'app': No module named '{missing}'"


def test_a_function_is_its_handler_alone(layer: Path) -> None:
    built = layer.parents[1]
    for name in ("Dispatch", "Reconcile", "Alert"):
        assert [file.name for file in (built / f"{name}Function").rglob("*")] == ["app.py"]
