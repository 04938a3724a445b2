"""What is said of one repository, and of another one that is asked about in its place."""

import pytest

from ecr_warden.access.alike import moved
from ecr_warden.core.target import RepositoryTarget
from local.testing.seed import HOME

APP, WEB = (RepositoryTarget(HOME, "eu-central-1", name) for name in ("app", "web"))
ARN = f"arn:aws:ecr:eu-central-1:{HOME}:repository"
MOVED = {
    "its policy": ("statement 1 of repository policy of app", "statement 1 of repository policy of web"),
    "its ARN": (f"on {ARN}/app, as docker", f"on {ARN}/web, as docker"),
    "twice, and both ways": ("repository policy of app: repository/app", "repository policy of web: repository/web"),
    "another one whose name goes on": ("repository/app-2 and repository/app", "repository/app-2 and repository/web"),
    "its name as another word": ("user app", "user app"),
    "neither": ("role pusher", "role pusher"),
}


@pytest.mark.parametrize("name", MOVED)
def test_a_text_about_one_repository_is_said_of_another(name: str) -> None:
    text, expected = MOVED[name]
    assert moved(text, APP, WEB) == expected
