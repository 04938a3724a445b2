"""The import contracts reach every room, and the SDK is imported in adapters alone."""

import ast
import tomllib
from pathlib import Path

from tests.template.cfn import ROOT, Node

LAYERS = ROOT / "layers"
WARDEN = LAYERS / "warden" / "ecr_warden"
SDK = ("boto3", "botocore", "aws_lambda_powertools")
# Where YAML is read, or what comes after it on the way of a new spec.
READS_YAML = {"access_spec", "versions", "audit", "notify", "hub", "bootstrap"}


def _contracts() -> dict[str, Node]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {contract["name"]: contract for contract in settings["contracts"]}


def test_yaml_is_forbidden_in_every_room_but_the_named_ones() -> None:
    contract = _contracts()["YAML is read in access_spec alone: no YAML on the way of an event"]
    rooms = {path.name for path in WARDEN.iterdir() if (path / "__init__.py").exists()}
    free = {f"ecr_warden.{room}" for room in rooms - READS_YAML}
    assert {*contract["source_modules"]} == {"iam_access", *free}


def test_every_room_has_its_place() -> None:
    for name in ("iam_access: from documents to who can", "ecr_warden: the steps of the way"):
        assert _contracts()[name]["exhaustive"] is True


def _imports(source: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        match node:
            case ast.Import(names):
                found |= {name.name.partition(".")[0] for name in names}
            case ast.ImportFrom(str(module)):
                found.add(module.partition(".")[0])
    return found


def test_the_sdk_is_imported_in_adapters_and_where_they_are_made_alone() -> None:
    """An adapter is a module of `aws/`, or a file named `aws_*.py` beside the port that it implements."""
    outside = {
        str(source.relative_to(LAYERS))
        for source in LAYERS.rglob("*.py")
        if not (source.name.startswith("aws_") or source.parent.name in ("aws", "bootstrap"))
        and _imports(source) & {*SDK}
    }
    assert outside == set()
