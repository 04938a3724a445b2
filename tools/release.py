"""Writes all that `ecr-warden deploy` deploys: `python tools/release.py FOLDER`, in the environment .venv-sam.

That is plain CloudFormation and zips, which somebody deploys who has neither sam nor make. The same sources give the
same bytes, wherever the checkout is and whoever builds.
"""

import hashlib
import io
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).parents[1]
STACKS = ("member", "events")
# What the hub's stack has before there is code, under the same logical IDs.
BUCKET = ("CodeBucket", "CodeBucketPolicy")
_SOURCES = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Serverless::Function": "CodeUri"}
# Bytes that CloudFormation takes of a template that is not in S3 (API reference, CreateChangeSet, TemplateBody).
_INLINE = 51_200
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def main(folder: Path) -> None:
    """Replace the folder by the release."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    templates, code = translated()
    texts = {name: json.dumps(template, separators=(",", ":")).encode() for name, template in templates.items()}
    for name, text in texts.items():
        if name != "hub" and len(text) > _INLINE:
            raise SystemExit(f"{name}.json has more than the {_INLINE} bytes that CloudFormation takes inline")
        (folder / f"{name}.json").write_bytes(text)
    for digest, packed in code.items():
        (folder / f"{digest}.zip").write_bytes(packed)
    manifest = {
        "version": version(),
        "templates": {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()},
        "code": sorted(code),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def translated() -> tuple[dict[str, Any], dict[str, bytes]]:
    """All templates as plain CloudFormation and the policies of who deploys, by name; the code's zips by SHA-256."""
    from samtranslator.translator.transform import transform  # noqa: PLC0415 - .venv-sam alone has it
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415

    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    code = {}
    for logical_id, body in template["Resources"].items():
        if source := _SOURCES.get(body["Type"]):
            properties = body["Properties"]
            packed = _code(logical_id, body["Type"], ROOT / properties[source])
            digest = hashlib.sha256(packed).hexdigest()
            code[digest] = packed
            key = {"Fn::Sub": f"${{CodePrefix}}{digest}.zip"}
            properties[source] = {"Bucket": {"Ref": "CodeBucket"}, "Key": key}
    # The translator asks for a region, and uses it for nothing that this template has.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    hub = transform(template, {}, SimpleNamespace(load=dict))
    hub["Parameters"]["CodePrefix"] = {"Type": "String", "Default": "", "Description": "Of the keys of all code"}
    hub["Outputs"]["Version"] = {"Description": "Of ecr-warden", "Value": version()}
    bucket = {
        **{key: hub[key] for key in ("AWSTemplateFormatVersion", "Description")},
        "Resources": {key: hub["Resources"][key] for key in BUCKET},
        "Outputs": {"CodeBucket": hub["Outputs"]["CodeBucket"]},
    }
    organization = runpy.run_path(str(ROOT / "tools" / "make_stacks.py"))["organization"]
    others = {name: yaml_parse((ROOT / "stacks" / f"{name}.yaml").read_text(encoding="utf-8")) for name in STACKS}
    policies = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "stacks").glob("*.json")}
    others |= {"organization": organization(), **policies}
    return {"hub": hub, "hub-bucket": bucket, **others}, code


def _code(logical_id: str, kind: str, source: Path) -> bytes:
    if kind == "AWS::Serverless::Function":
        return zipped(source, "*.py")
    with tempfile.TemporaryDirectory() as built:
        # As sam does: the layer's own Makefile, with a python3.13 first on PATH that has pip.
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
        path = os.pathsep.join([str(ROOT / ".tools" / "bin"), kept.get("PATH", os.defpath)])
        command = ["make", "--no-print-directory", f"build-{logical_id}", f"ARTIFACTS_DIR={built}"]
        subprocess.run(command, cwd=source, env={**kept, "PATH": path}, check=True)
        return zipped(Path(built))


def zipped(folder: Path, pattern: str = "*") -> bytes:
    """The folder's files as a zip that says nothing of when, where and by whom it was made."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(path.relative_to(folder).as_posix() for path in folder.rglob(pattern) if path.is_file()):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (folder / name).read_bytes())
    return packed.getvalue()


def version() -> str:
    """The version of both wheels."""
    given: str = runpy.run_path(str(ROOT / "layers" / "warden" / "ecr_warden" / "__init__.py"))["__version__"]
    return given


if __name__ == "__main__":
    main(Path(sys.argv[1]))
