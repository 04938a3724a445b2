"""Who can push, found out by pushing: AssumeRole and PutImage under the emulator's authorization."""

import hashlib
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local.demo.people import Keys, Somebody, existing
from local.demo.places import CI, PULL_USER, PUSH_USER, REGION, REGISTRY, REPOSITORY, ROLE
from local.demo.stage import Stage

_REFUSED = ("AccessDenied", "AccessDeniedException")
_LAYER = b"layer"
_tags = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller, and what the screen calls it."""

    words: str
    somebody: Somebody


@dataclass(frozen=True, slots=True)
class Doors:
    """The callers that try to push, each directly and through the push role."""

    stage: Stage
    callers: tuple[Caller, ...]
    sessions: dict[str, Keys] = field(default_factory=dict)

    @classmethod
    def of(cls, stage: Stage) -> "Doors":
        """One who may push, one who may only pull, and a user of an account that the spec does not name."""
        outsider = stage.people.outsider
        return cls(
            stage,
            (
                Caller(PUSH_USER, existing(stage.aws, CI, PUSH_USER)),
                Caller(PULL_USER, existing(stage.aws, CI, PULL_USER)),
                Caller(f"a user of account {outsider.account}", outsider),
            ),
        )

    @property
    def outsider(self) -> str:
        """The words for the caller from outside."""
        return self.callers[-1].words

    def who_can_push(self) -> str:
        """`push-user, a user of account ..`: who has just pushed an image that is now in the repository."""
        return ", ".join(caller.words for caller in self.callers if self._pushes(caller)) or "nobody"

    def session_pushes(self, words: str) -> bool:
        """Whether the caller's latest session can still push; False without one."""
        keys = self.sessions.get(words)
        return keys is not None and self._push(keys)

    def _pushes(self, caller: Caller) -> bool:
        straight = self._push(caller.somebody.keys)
        try:
            answer = caller.somebody.client("sts").assume_role(RoleArn=ROLE, RoleSessionName=caller.somebody.name)
        except ClientError as error:
            _only_refused(error)
            return straight
        given = answer["Credentials"]
        keys = Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        if self._push(keys):
            self.sessions[caller.words] = keys
            return True
        return straight

    def _push(self, keys: Keys) -> bool:
        """Push an image and find it in the repository. Raises ClientError for any error other than a denial."""
        ecr = self.stage.aws.client_with(keys.key, keys.secret, keys.token, "ecr", REGION)
        tag = f"pushed-{next(_tags)}"
        try:
            upload(ecr, tag)
        except ClientError as error:
            _only_refused(error)
            return False
        owner = self.stage.aws.client(REGISTRY, "ecr", REGION)
        found = owner.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])["imageDetails"]
        return tag in found[0]["imageTags"]


def upload(ecr: Any, tag: str) -> None:
    """What docker push does."""
    where = {"registryId": REGISTRY, "repositoryName": REPOSITORY}
    digest = "sha256:" + hashlib.sha256(_LAYER).hexdigest()
    upload = ecr.initiate_layer_upload(**where)["uploadId"]
    ecr.upload_layer_part(**where, uploadId=upload, partFirstByte=0, partLastByte=len(_LAYER) - 1, layerPartBlob=_LAYER)
    ecr.complete_layer_upload(**where, uploadId=upload, layerDigests=[digest])
    manifest = {"schemaVersion": 2, "config": {}, "layers": [{"digest": digest}], "annotations": {"tag": tag}}
    ecr.put_image(**where, imageManifest=json.dumps(manifest), imageTag=tag)


def _only_refused(error: ClientError) -> None:
    if error.response["Error"]["Code"] not in _REFUSED:
        raise error
