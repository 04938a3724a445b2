"""What is in the layer and what is not."""

from pathlib import Path

MEGABYTE = 1_000_000


def test_it_has_at_most_8_mb_unzipped(layer: Path) -> None:
    assert sum(file.stat().st_size for file in layer.rglob("*") if file.is_file()) <= 8 * MEGABYTE


def test_it_holds_the_package_its_requirements_and_nothing_else(layer: Path) -> None:
    parts = {part.name for part in layer.iterdir() if not part.name.endswith((".dist-info", ".data"))}
    assert parts == {
        "ecr_warden",
        "aws_lambda_powertools",
        "jmespath",
        "typing_extensions.py",
        "yaml",
        "_yaml",
        "requirements.txt",
    }


def test_it_holds_no_tests_no_byte_code_and_nothing_of_the_laptop(layer: Path) -> None:
    for never in ("__pycache__", "*.pyc", "tests", "test_*.py", "conftest.py", "*.egg-info", "boto3", "local", "bench"):
        assert list(layer.rglob(never)) == [], never


def test_a_function_is_its_handler_alone(layer: Path) -> None:
    built = layer.parents[1]
    for name in ("Dispatch", "Reconcile", "Alert"):
        assert [file.name for file in (built / f"{name}Function").rglob("*")] == ["app.py"]
