"""Alerts on images that somebody pushed without a right, and on what became of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ecr_warden.core.alert import Alert
from ecr_warden.core.listing import listing
from ecr_warden.core.result import Severity
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.images.alerts import ImagesPushed
from ecr_warden.images.push import ImageEvent, Right
from ecr_warden.notify.kinds.kind import Kind, OneByOne
from ecr_warden.notify.layout import Parts
from ecr_warden.notify.message import NOTHING, Field, MessageState
from ecr_warden.notify.wording import by, command, describe_actor, describe_target, to_do
from iam_access.text.printable import count, show_time

PUSHED = {
    Right.YES: "pushed with a right",
    Right.UNKNOWN: "pushed by nobody known",
    Right.NO: "pushed without a right",
    Right.DOOR: "pushed through an open door",
    Right.OUTSIDE: "pushed by an outsider",
}
"""How somebody pushed, in words."""
_IN_COMMAND = 3
_TO_DO = {
    True: "delete what is not meant to be there, and see who pulled it",
    False: "see who pulled it while it was there",
}


class _ImagesPushed(OneByOne[ImagesPushed]):
    def severity(self, alert: ImagesPushed) -> Severity:
        """As grave as who pushed, even if the image is deleted since; INFO: that one is which was announced."""
        rights = {one.right for one in alert.images if alert.cause.call == "PutImage"} - {Right.YES}
        if not rights.isdisjoint((Right.DOOR, Right.OUTSIDE)):
            return Severity.CRITICAL
        return Severity.WARNING if rights else Severity.INFO

    def lets_in(self, alert: ImagesPushed) -> bool:
        return alert.images[0].is_left and self.severity(alert) is Severity.CRITICAL

    def describe_one(self, alert: ImagesPushed) -> Parts:
        first, number = alert.images[0], len(alert.images) + alert.left_out
        assert isinstance(alert.repository, RepositoryTarget)
        what = f"image {image_name(alert.repository, first)}" if number == 1 else count(number, "image")
        where = "" if number == 1 else f" in {alert.repository.name}"
        found = {
            "Whether it was pulled is not known": pulls(alert.repository, first),
            "Who opened the session": opening(alert.repository, first),
        }
        ended = f", {first.last.act} since" if first.last and not first.is_left else ""
        return Parts(
            MessageState.OPEN if first.is_left else MessageState.CLOSED,
            f"{what} {PUSHED[first.right]}{where}{ended}",
            [
                by(alert.cause),
                Field("Pushed by", "" if alert.cause.call == "PutImage" else describe_actor(first.by)),
                Field("Where", describe_target(alert.repository)),
                to_do(_TO_DO[first.is_left] if first.right is not Right.YES else NOTHING),
                command(deletion(alert.repository, alert.images) if first.is_left else pulls(alert.repository, first)),
            ],
            [
                listing("image", [*map(described, alert.images)], rest=alert.left_out),
                listing("command", [f"{what}: {shown}" for what, shown in found.items() if first.is_left and shown]),
            ],
        )


def image_name(repository: RepositoryTarget, image: ImageEvent) -> str:
    """An image as people name it: `shop/checkout:v1`, without a tag by the beginning of its digest."""
    return f"{repository.name}:{image.tag}" if image.tag else f"{repository.name}@{image.digest[:19]}"


def described(image: ImageEvent) -> str:
    """An image in a line: its digest and tag, when it was pushed, and what was done with it since."""
    since = f"; {image.last.act} {show_time(image.last.at)}" if image.last else ""
    return f"{image.digest or 'digest not known'} ({image.tag or 'no tag'}) pushed {show_time(image.at)}{since}"


def deletion(repository: RepositoryTarget, images: Iterable[ImageEvent]) -> str:
    """The command that deletes images; of one that has other tags, the tag, and none that names another image now."""
    where = f"--profile ... --region {repository.region} --repository-name {repository.name}"
    ids = [f"imageDigest={one.digest}{f',imageTag={one.tag}' if one.tag else ''}" for one in images if one.digest]
    if not ids:
        return f"aws ecr describe-images {where} --filter imageStatus=ANY"
    return f"aws ecr batch-delete-image {where} --image-ids {' '.join(ids[:_IN_COMMAND])}"


def pulls(repository: RepositoryTarget, image: ImageEvent) -> str:
    """The command that shows who pulled since an image was pushed: of that no event comes."""
    end = image.last.at if image.last and not image.is_left else None
    return _calls(repository, "BatchGetImage", repository.name, image.at, end)


def opening(repository: RepositoryTarget, image: ImageEvent) -> str:
    """The command that shows who opened the session that pushed an image; "" if no session did."""
    role = image.by.issuer.rpartition("/")[2] if image.by else ""
    if image.issued is None or not role:
        return ""
    return _calls(repository, "AssumeRole", f"/{role}", image.issued, image.issued + timedelta(minutes=1))


def _calls(repository: RepositoryTarget, call: str, named: str, since: datetime, until: datetime | None) -> str:
    end = "" if until is None else f" --end-time {show_time(until)}"
    return (
        f"aws cloudtrail lookup-events --profile ... --region {repository.region} --start-time {show_time(since)}{end} "
        f"--lookup-attributes AttributeKey=EventName,AttributeValue={call} --output text "
        f"--query \"Events[?contains(CloudTrailEvent, '{named}')].[EventTime, Username]\""
    )


IMAGES: Mapping[type[Alert], Kind[Any]] = {ImagesPushed: _ImagesPushed()}
