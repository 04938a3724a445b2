"""The import contracts reach every package: one that is added later cannot slip past them."""

import tomllib

import pytest

from tests.template.cfn import ROOT, Node

PACKAGE = ROOT / "layers" / "warden" / "ecr_warden"
# Where boto3 and powertools may be imported.
EDGE = {"adapters", "bootstrap", "config", "observability"}
# Where YAML is read, or what comes after it on the way of a new spec.
READS_YAML = {"spec", "usecases", "bootstrap", "config", "observability"}


def _parts() -> set[str]:
    return {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} - {
        "__init__"
    }


def _contracts() -> dict[str, Node]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {contract["name"]: contract for contract in settings["contracts"]}


@pytest.mark.parametrize(
    ("contract", "free"),
    [
        ("Below adapters nothing imports an SDK or powertools", EDGE),
        ("YAML is read in spec alone: no YAML on the way of an event", READS_YAML),
    ],
)
def test_a_forbidden_import_is_forbidden_in_every_part_but_the_named_ones(contract: str, free: set[str]) -> None:
    sources = {source.removeprefix("ecr_warden.") for source in _contracts()[contract]["source_modules"]}
    assert sources == _parts() - free


def test_every_part_has_its_layer() -> None:
    layers = _contracts()["Layers of ecr_warden"]
    assert layers["containers"] == ["ecr_warden"]
    assert layers["exhaustive"] is True
