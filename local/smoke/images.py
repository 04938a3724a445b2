"""Whether Lambda sends aws:SourceAccount besides aws:SourceArn when it pulls an image: functions that try it.

The image is in the registry account, the functions in the other one: to a repository of a function's own account Lambda
adds the statement that it misses if its caller may, and nothing would be learnt.
Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-permissions
"""

import gzip
import hashlib
import io
import json
import secrets
import tarfile
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.smoke.probes import Answer, Lab, Probe, pull
from local.smoke.throwaway import Side, code_and_text, document
from local.testing.waiting import NeverCame

ARCHITECTURE = "arm64"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
# What CreateFunction says of an image that Lambda may not pull, and of a role that it does not see yet.
_NO_IMAGE = "permission to access the ECR image"
_NO_ROLE = "cannot be assumed by Lambda"


def _source_account(lab: Lab) -> Answer:
    """Waits for each policy: what Lambda does at once may still follow the previous one."""
    functions = _Functions.opened(lab)
    side = functions.side
    alone = {"StringLike": {"aws:SourceArn": f"arn:aws:lambda:{side.region}:{side.account}:function:*"}}
    of_it = alone | {"StringEquals": {"aws:SourceAccount": side.account}}
    of_another = alone | {"StringEquals": {"aws:SourceAccount": lab.places.registry.account}}
    if not lab.wait_for(lambda: functions.pulls_under(alone)):
        raise NeverCame(f"no function becomes active under aws:SourceArn alone: {functions.words}")
    if not lab.wait_for(lambda: functions.refused_under(of_another)):
        raise NeverCame("a function is made whatever account aws:SourceAccount names: nobody asks the policy")
    sent = lab.wait_for(lambda: functions.pulls_under(of_it))
    return Answer("both" if sent else "aws:SourceArn alone", functions.words)


@dataclass(slots=True)
class _Functions:
    """Functions of the CI account, of images in one repository; `words`: what Lambda said last."""

    lab: Lab
    side: Side
    repository: str
    role: str
    words: str = ""

    @classmethod
    def opened(cls, lab: Lab) -> "_Functions":
        """Create the repository, and the role of the functions."""
        side = lab.places.ci
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = lab.places.role("function", trust, side=side)
        return cls(lab, side, lab.places.repository("image"), f"arn:aws:iam::{side.account}:role/{role}")

    def refused_under(self, condition: dict[str, Any]) -> bool:
        """Whether Lambda says that it may not pull."""
        return not self.pulls_under(condition) and _NO_IMAGE in self.words

    def pulls_under(self, condition: dict[str, Any]) -> bool:
        """Whether a function becomes active while Lambda is let in under this condition; the function is removed.

        Raises ClientError for any refusal but of the image, or of the role while it is new.
        """
        places = self.lab.places
        account = pull({"AWS": self.side.account}) | {"Sid": "Account"}
        service = pull({"Service": "lambda.amazonaws.com"}, Condition=condition)
        places.registry.ecr.set_repository_policy(
            registryId=places.registry.account,
            repositoryName=self.repository,
            policyText=document(account, service),
        )
        name = f"{places.name}-{secrets.token_hex(4)}"
        image = push_image(places.registry, self.repository)
        try:
            places.function(name, self.role, image, ARCHITECTURE)
        except ClientError as error:
            self.words = code_and_text(error)
            if _NO_IMAGE in self.words or _NO_ROLE in self.words:
                return False
            raise
        client = places.lambdas
        state: str = ""

        def settled() -> bool:
            nonlocal state
            found = client.get_function_configuration(FunctionName=name)
            state, self.words = str(found["State"]), f"{found['State']} {found.get('StateReason', '')}".strip()
            return state != "Pending"

        self.lab.wait_for(settled)
        client.delete_function(FunctionName=name)
        return state == "Active"


def push_image(side: Side, repository: str) -> str:
    """Push an image of one small layer that no other has; returns its URI by digest."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        entry = tarfile.TarInfo("smoke")
        data = secrets.token_bytes(16)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    layer = gzip.compress(content.getvalue())
    rootfs = {"type": "layers", "diff_ids": [_digest(content.getvalue())]}
    about = {"architecture": ARCHITECTURE, "os": "linux", "config": {"Entrypoint": ["/smoke"]}, "rootfs": rootfs}
    config = json.dumps(about).encode()
    where = {"registryId": side.account, "repositoryName": repository}
    for blob in (layer, config):
        upload, last = side.ecr.initiate_layer_upload(**where)["uploadId"], len(blob) - 1
        side.ecr.upload_layer_part(**where, uploadId=upload, partFirstByte=0, partLastByte=last, layerPartBlob=blob)
        side.ecr.complete_layer_upload(**where, uploadId=upload, layerDigests=[_digest(blob)])
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
        "layers": [{"mediaType": _LAYER, "size": len(layer), "digest": _digest(layer)}],
    }
    text = json.dumps(manifest)
    side.ecr.put_image(**where, imageManifest=text, imageManifestMediaType=_MANIFEST, imageTag=secrets.token_hex(4))
    return f"{side.account}.dkr.ecr.{side.region}.amazonaws.com/{repository}@{_digest(text.encode())}"


def _digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _archived(lab: Lab) -> Answer:
    """What an audit does not list, it has to ask for."""
    registry, repository = lab.places.registry, lab.places.repository("archived")
    where = {"registryId": registry.account, "repositoryName": repository}
    digest = push_image(registry, repository).partition("@")[2]
    registry.ecr.update_image_storage_class(**where, imageId={"imageDigest": digest}, targetStorageClass="ARCHIVE")
    shown = registry.ecr.describe_images(**where)["imageDetails"]
    return Answer("listed" if shown else "not listed", json.dumps(shown, default=str))


IMAGE_PROBES = (
    Probe(
        "1.2",
        "does Lambda send aws:SourceAccount when it pulls an image?",
        "aws:SourceArn alone",
        _source_account,
    ),
    Probe(
        "13.5, 16",
        "does DescribeImages list an archived image?",
        "not listed",
        _archived,
        "nothing to change: whoever pushes and archives is seen without a filter",
    ),
)
