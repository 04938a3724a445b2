"""`make release`: plain CloudFormation and zips, the same bytes wherever they are built."""

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ecr_warden_cli.deployment.release import FOLDER, Release, load_release
from local.aws.deploy import SAM, built_release
from local.aws.launcher import ROOT
from local.testing.wheels import built_wheels


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
    assert sorted(place["S3Key"]["Fn::Sub"] for place in taken) == [
        f"${{CodePrefix}}{key}" for key in sorted(release.code)
    ]
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
    clone.mkdir(parents=True)
    # With --touch each file is of the moment of the copy.
    copied = f"git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x --touch -C {clone}"
    subprocess.run(["bash", "-c", copied], cwd=ROOT, check=True)
    (clone / ".tools").symlink_to(ROOT / ".tools")
    steps = [
        [str(SAM.parent / "python"), "tools/release.py", "build/release"],
        [sys.executable, "tools/wheels.py", "build/release", "dist"],
    ]
    for step in steps:
        environment = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
        subprocess.run(step, cwd=clone, env=environment, umask=0o077, check=True)
    assert digests(clone / "build" / "release") == digests(folder)
    built_wheels(folder, tmp_path / "dist")
    assert digests(clone / "dist") == digests(tmp_path / "dist")


def digests(folder: Path) -> dict[str, str]:
    """Of all files."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
