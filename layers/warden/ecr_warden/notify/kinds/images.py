"""Alerts on images that somebody pushed without a right, and on what became of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import replace
from datetime import timedelta
from typing import Any, cast

from ecr_warden.core.alert import Alert
from ecr_warden.core.listing import listing
from ecr_warden.core.result import Severity
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.images.alerts import ImagesPushed
from ecr_warden.images.push import ImageEvent, Right
from ecr_warden.notify.incident import Fact
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

    def facts(self, alert: ImagesPushed, news: Fact) -> Sequence[Fact]:
        lasts = replace(news, closed=None, is_news=False, is_image=True)
        lets_in = self.severity(alert) is Severity.CRITICAL
        repository = cast("RepositoryTarget", alert.repository)
        return [
            replace(
                lasts,
                key=_key(alert, one),
                title=f"image {image_name(repository, one)} {PUSHED[one.right]}",
                opened=one.at,
                lets_in=lets_in,
            )
            for one in alert.images
            if one.is_left and one.digest
        ]

    def ends(self, alert: ImagesPushed) -> Sequence[str]:
        return [_key(alert, one) for one in alert.images if not one.is_left]

    def describe_one(self, alert: ImagesPushed) -> Parts:
        first, number = alert.images[0], len(alert.images)
        repository = cast("RepositoryTarget", alert.repository)
        what = f"image {image_name(repository, first)}" if number == 1 else count(number, "image")
        where = "" if number == 1 else f" in {repository.name}"
        ended = f", {first.last.act} since" if first.last and not first.is_left else ""
        pulled, *opened = lookups(repository, first)
        return Parts(
            MessageState.OPEN if first.is_left else MessageState.CLOSED,
            f"{what} {PUSHED[first.right]}{where}{ended}",
            [
                by(alert.cause),
                Field("Pushed by", "" if alert.cause.call == "PutImage" else describe_actor(first.by)),
                Field("Where", describe_target(repository)),
                to_do(_TO_DO[first.is_left] if first.right is not Right.YES else NOTHING),
                command(deletion(repository, alert.images) if first.is_left else pulled),
            ],
            [
                listing("image", [*map(described, alert.images)]),
                listing("command", [f"Whether it was pulled is not known: {pulled}"] if first.is_left else []),
                listing("command", [f"Who opened the session: {one}" for one in opened]),
            ],
        )


def _key(alert: ImagesPushed, image: ImageEvent) -> str:
    return f"image/{alert.repository.key}/{image.digest}"


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


def lookups(repository: RepositoryTarget, image: ImageEvent) -> Iterator[str]:
    """The command that shows who pulled since an image was pushed, of which no event comes; then, of a push by a
    session, the one that shows who opened that."""
    role = image.by.issuer.rpartition("/")[2] if image.by else ""
    end = image.last.at if image.last and not image.is_left else None
    asked = [("BatchGetImage", repository.name, image.at, end)]
    if image.issued is not None and role:
        asked.append(("AssumeRole", f"/{role}", image.issued, image.issued + timedelta(minutes=1)))
    for call, named, since, until in asked:
        yield (
            f"aws cloudtrail lookup-events --profile ... --region {repository.region} --start-time {show_time(since)}"
            f"{f' --end-time {show_time(until)}' if until else ''} "
            f"--lookup-attributes AttributeKey=EventName,AttributeValue={call} --output text "
            f"--query \"Events[?contains(CloudTrailEvent, '{named}')].[EventTime, Username]\""
        )


IMAGES: Mapping[type[Alert], Kind[Any]] = {ImagesPushed: _ImagesPushed()}
