"""What this version deploys: the files that `make release` writes and the wheel carries."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ecr_warden.core.value import Value
from ecr_warden_cli.terminal.context import Failure

FOLDER = "ECR_WARDEN_RELEASE"
"""The environment variable with the folder of another release than the wheel's."""
_MAX_BYTES = 50_000_000
"""Of one file: what Lambda takes at most as a zip."""

type _Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
type _Name = Annotated[str, Meta(pattern=r"\A[a-z][a-z-]{0,40}\Z")]


class Manifest(Value, frozen=True, forbid_unknown_fields=True):
    """The version, and the SHA-256 of all other files."""

    version: str
    templates: dict[_Name, _Digest]
    """By name; the file is NAME.json."""
    code: tuple[_Digest, ...]
    """The file of each is DIGEST.zip."""


class Release(Struct, frozen=True):
    """What one version deploys."""

    version: str
    templates: Mapping[str, str]
    """Plain CloudFormation in JSON, by name: `hub`, `hub-bucket` (all that the hub's stack has before there is code),
    `member`, `events`, `organization`; and the IAM policies of whoever deploys and removes them, `deployer-policy` for
    what the command calls itself and `deployer-policy-stacks` for what CloudFormation calls in their name."""
    code: Mapping[str, bytes]
    """Layers and functions, by the key at which the hub's template expects them in the bucket CodeBucket."""

    def keys(self, kind: str) -> Mapping[str, str]:
        """The key of the code of each function, or layer, by name: it is the digest of what is in it."""
        named = {one.get("FunctionName") or one["LayerName"]: one for one in self.resources(kind)}
        prefixed = {name: (one.get("Code") or one["Content"])["S3Key"]["Fn::Sub"] for name, one in named.items()}
        return {name: key.removeprefix("${CodePrefix}") for name, key in prefixed.items()}

    def resources(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """The properties of what the hub has of a kind of Lambda's."""
        resources = json.loads(self.templates["hub"])["Resources"].values()
        yield from (body["Properties"] for body in resources if body["Type"] == f"AWS::Lambda::{kind}")


class ReleaseUnusable(Failure, code="release-unusable"):
    """There is nothing to deploy, or it is not what it was when it was built."""


def load_release(environment: Mapping[str, str] = os.environ) -> Release:
    """The release in the folder that the environment names, or the wheel's own; raises ReleaseUnusable."""
    named = environment.get(FOLDER)
    folder = Path(named) if named else files("ecr_warden_cli") / "release"
    if not (folder / "manifest.json").is_file():
        where = f"in {folder}" if named else "in this installation, which is a checkout"
        raise ReleaseUnusable(
            f"there is no release {where}", remedy=f"make release, then set {FOLDER} to its folder, build/release"
        )
    try:
        manifest = msgspec.json.decode(_read(folder, "manifest.json"), type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(folder, "manifest.json", str(error)) from error
    return Release(
        manifest.version,
        {name: _checked(folder, f"{name}.json", digest).decode() for name, digest in manifest.templates.items()},
        {f"{digest}.zip": _checked(folder, f"{digest}.zip", digest) for digest in manifest.code},
    )


def _checked(folder: Traversable, name: str, digest: str) -> bytes:
    data = _read(folder, name)
    if hashlib.sha256(data).hexdigest() != digest:
        raise _damaged(folder, name, "it is not what the manifest says")
    return data


def _read(folder: Traversable, name: str) -> bytes:
    """At most one byte over the limit."""
    try:
        with (folder / name).open("rb") as file:
            return file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _damaged(folder, name, error.strerror or str(error)) from error


def _damaged(folder: Traversable, name: str, why: str) -> ReleaseUnusable:
    return ReleaseUnusable(
        f"{name} of the release in {folder} cannot be used: {why}",
        remedy="install ecr-warden again; in a checkout, make release again",
    )
