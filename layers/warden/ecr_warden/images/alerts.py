"""Alerts about images that somebody pushed without a right."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ecr_warden.core.alert import Alert
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.target import Target
from ecr_warden.images.push import Day, ImageEvent, Right

if TYPE_CHECKING:
    from ecr_warden.core.target import RepositoryTarget


class ImagesPushed(Alert, frozen=True, tag="images-pushed"):
    """Images that one principal pushed without a right: all of them are there, or none is any longer.

    The cause is the last call: the push, or, of images that an alert was about, what ended that.
    """

    repository: Target
    images: tuple[ImageEvent, ...]
    """No more than a batch of events."""


def alerts_of(repository: "RepositoryTarget", before: Iterable[Day], after: Iterable[Day]) -> Iterator[ImagesPushed]:
    """What is new of such images: those that came, and those that are gone or turn out to be pushed with a right."""
    every, earlier = ([one for day in days for one in day.pushes] for days in (after, before))
    known = {_known_by(one) for one in earlier if one.right is not Right.YES}
    gone = {one.digest for one in earlier if one.is_left} - {one.digest for one in every if one.is_left}
    over = sorted((one for one in every if one.digest in gone), key=lambda one: (one.last or one).at)
    groups: dict[tuple[object, bool, bool], list[ImageEvent]] = {}
    for one in (
        *(one for one in every if one.right is not Right.YES and _known_by(one) not in known),
        *{one.digest: one for one in over}.values(),
    ):
        groups.setdefault((one.by and one.by.principal, one.is_left, _known_by(one) in known), []).append(one)
    for (_, _, is_known), images in groups.items():
        last = (images[-1].last if is_known else None) or images[-1]
        call = "ecr:PutImage" if last.act == "pushed" else "ecr:BatchDeleteImage"
        cause = Cause(CauseKind.EVENT, last.id, call, last.at.isoformat(), actor=last.by)
        yield ImagesPushed(cause, repository, tuple(images))


def _known_by(push: ImageEvent) -> tuple[str, ...]:
    return push.id, push.digest, push.tag, push.right
