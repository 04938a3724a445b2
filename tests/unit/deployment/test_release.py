"""A release is used only as it was built."""

import hashlib
import json
from pathlib import Path

import pytest

from ecr_warden_cli.deployment.release import FOLDER, Release, ReleaseUnusable, load_release

HUB, CODE = b'{"Resources": {}}', b"PK"
KEY = f"{hashlib.sha256(CODE).hexdigest()}.zip"


def manifest(**changed: object) -> bytes:
    made = {"version": "0.2.0", "templates": {"hub": hashlib.sha256(HUB).hexdigest()}, "code": [KEY[:64]]}
    return json.dumps({**made, **changed}).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in {"manifest.json": manifest(), "hub.json": HUB, KEY: CODE}.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_it_has_templates_by_name_and_code_by_key(folder: Path) -> None:
    assert load_release({FOLDER: str(folder)}) == Release("0.2.0", {"hub": HUB.decode()}, {KEY: CODE})


BROKEN = {
    "no release": ("manifest.json", None, "there is no release in {}; make release"),
    "a file is missing": (
        "hub.json",
        None,
        "cannot be used: No such file or directory; install",
    ),
    "a template was edited": ("hub.json", b"{}", "it is not what the manifest says"),
    "a zip was replaced": (KEY, b"", f"{KEY} of the release"),
    "the manifest is no JSON": ("manifest.json", b"\xff{", "manifest.json of"),
    "a name leads elsewhere": ("manifest.json", manifest(templates={"../hub": KEY[:64]}), "matching regex"),
    "a digest is none": ("manifest.json", manifest(code=["../secret"]), "matching regex"),
    "something else is in it": ("manifest.json", manifest(more=1), "unknown field `more`"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_not_as_it_was_built_is_refused(case: str, folder: Path) -> None:
    name, data, said = BROKEN[case]
    if data is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(data)
    with pytest.raises(ReleaseUnusable) as refused:
        load_release({FOLDER: str(folder)})
    assert said.format(folder) in str(refused.value)


def test_a_checkout_says_how_to_make_one() -> None:
    with pytest.raises(ReleaseUnusable, match="this installation, which is a checkout; make release, then set"):
        load_release({})
