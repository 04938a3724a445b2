"""`make release`: plain CloudFormation and zips, the same bytes wherever they are built."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from ecr_warden_cli.deployment.release import FOLDER, Release, load_release
from local.aws.deploy import SAM, built_release
from local.aws.launcher import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was built of this checkout."""
    return built_release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def release(folder: Path) -> Release:
    return load_release({FOLDER: str(folder)})


def test_the_hub_takes_all_its_code_and_no_other_from_its_bucket(release: Release) -> None:
    resources = json.loads(release.templates["hub"])["Resources"].values()
    kinds = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}
    taken = [one["Properties"][kinds[one["Type"]]] for one in resources if one["Type"] in kinds]
    assert sorted(place["S3Key"] for place in taken) == sorted(release.code)
    assert all(place["S3Bucket"] == {"Ref": "CodeBucket"} for place in taken)
    assert not any("Serverless" in one["Type"] for one in resources)


def test_its_first_phase_is_the_bucket_as_the_whole_template_has_it(release: Release) -> None:
    whole, first = (json.loads(release.templates[name])["Resources"] for name in ("hub", "hub-bucket"))
    assert set(first) == {"CodeBucket", "CodeBucketPolicy"}
    assert first.items() <= whole.items()


def test_a_zip_says_nothing_of_when_and_by_whom_it_was_made(release: Release) -> None:
    entries = [entry for data in release.code.values() for entry in zipfile.ZipFile(io.BytesIO(data)).infolist()]
    assert {(entry.date_time, oct(entry.external_attr >> 16)) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), "0o100644")
    }


@pytest.mark.thorough
def test_another_clone_in_another_folder_at_another_time_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    clone = tmp_path / "elsewhere" / "clone"
    for source in ("template.yaml", "pyproject.toml", "tools", "stacks", "functions", "layers"):
        (clone / source).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, clone / source)
    for path in clone.rglob("*"):
        os.utime(path, (1, 1))
    (clone / ".tools").symlink_to(ROOT / ".tools")
    again = tmp_path / "again"
    python = str(SAM.parent / "python")
    subprocess.run(
        [python, "tools/release.py", str(again)],
        cwd=clone,
        umask=0o077,
        check=True,
        env={"PATH": os.environ["PATH"], "TZ": "Asia/Tokyo"},
    )
    assert digests(again) == digests(folder)


def digests(folder: Path) -> dict[str, str]:
    """Of all files."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
