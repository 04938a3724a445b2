"""An event to what it says of images."""

import re
from collections.abc import Iterator, Mapping
from copy import replace
from typing import cast

from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.target import RepositoryTarget, TargetError, parse_target
from ecr_warden.events.parse import parse_trigger
from ecr_warden.events.record import mapping, name, text
from ecr_warden.events.trigger import ApiCall, TriggerError
from ecr_warden.images.push import Act, ImageEvent

_DIGEST, _TAG = re.compile(r"sha256:[0-9a-f]{64}|"), re.compile(r"\w[\w.-]{0,299}|", re.ASCII)
_IDS_READ = 100
_ACTS: Mapping[str, Act] = {
    "PUSH": "pushed",
    "DELETE": "deleted",
    "PutImage": "pushed",
    "BatchDeleteImage": "deleted",
    "UpdateImageStorageClass": "restored",
}

type _Json = Mapping[str, object]


def image_events(event: object) -> Iterator[tuple[RepositoryTarget, ImageEvent]]:
    """What an event says of images: nothing, if it is of anything else. Raises TriggerError if it is no event."""
    fields: _Json = event if isinstance(event, dict) else {}
    detail = mapping(fields, "detail")
    sent = mapping(detail, "requestParameters")
    if fields.get("detail-type") == "ECR Image Action" and fields.get("source") == "aws.ecr":
        call = name(detail, "action-type") if detail.get("result") == "SUCCESS" else ""
        place = f"{name(fields, 'account')}/{name(fields, 'region')}/{name(detail, 'repository-name')}"
        ids: list[_Json] = [{"imageDigest": detail.get("image-digest"), "imageTag": detail.get("image-tag")}]
        cause = Cause(CauseKind.EVENT, name(fields, "id", 128), at=name(fields, "time", 40))
    elif isinstance(found := parse_trigger(event), ApiCall) and not found.error:
        call, named = found.name, found.parameters
        place = f"{named.registry or found.account}/{found.region}/{named.repository}"
        ids = _ids(sent, mapping(detail, "responseElements"))
        shared = name(detail, "sharedEventID", 128)
        cause = Cause(CauseKind.EVENT, shared or found.event_id, at=found.at, actor=replace(found.actor, user_agent=""))
    else:
        return
    act = "archived" if sent.get("targetStorageClass") == "ARCHIVE" else _ACTS.get(call)
    session = mapping(mapping(mapping(detail, "userIdentity"), "sessionContext"), "attributes")
    issued = replace(cause, at=text(session, "creationDate", 40)).time
    if act is not None and cause.time is None:
        raise TriggerError("an event on images has no time")
    for one in ids:
        digest, tag = (name(one, key) for key in ("imageDigest", "imageTag"))
        repository = _repository(place)
        # Of a call of more than 100 KB CloudTrail leaves out what was pushed: somebody pushed all the same.
        if act and cause.time and repository and _DIGEST.fullmatch(digest) and (digest or act == "pushed"):
            known = tag if _TAG.fullmatch(tag) else ""
            yield repository, ImageEvent(act, cause.time, cause.id, digest, known, cause.actor, issued)


def _repository(place: str) -> RepositoryTarget | None:
    try:
        return cast(RepositoryTarget, parse_target(f"repository/{place}"))
    except TargetError:
        return None


def _ids(sent: _Json, answered: _Json) -> list[_Json]:
    """The images that a call names; AWS's answer has their digests."""
    single = mapping(answered, "imageId") or mapping(mapping(answered, "image"), "imageId") or sent
    # Whoever names the digest alone deletes the image with all its tags.
    whole = {one.get("imageDigest") for one in _listed(sent) if not one.get("imageTag")}
    listed = [{**one, "imageTag": ""} if one.get("imageDigest") in whole else one for one in _listed(answered)]
    return listed if "imageIds" in sent or "imageIds" in answered else [single]


def _listed(source: _Json) -> list[_Json]:
    listed = source.get("imageIds")
    return [one for one in (listed if isinstance(listed, list) else ())[:_IDS_READ] if isinstance(one, dict)]
