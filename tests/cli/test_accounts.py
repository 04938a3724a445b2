"""The whole command over boto3 on moto: two accounts, each with its own credentials."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from ecr_warden.core.address import repository_policy
from ecr_warden_cli.verbs.main import main
from local.testing.seed import (
    BOUNDARY,
    CHECKOUT,
    CI,
    HOME,
    SPEC_FILE,
    repository_document,
)
from tests.cli.command import Ran, as_people, unfolded
from tests.contracts.aws import moto
from tests.contracts.worlds import MotoWorld, make_in_sync

DEFAULT = "123456789012"
"""The account of moto's default credentials."""
BOTH = ("--profile", "ci=ci-read", "--profile", "registry=registry-read")


class Shell:
    """Runs `main` like the entry point, and captures its output."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *argv: str) -> Ran:
        code = main(argv)
        out, err = self._capfd.readouterr()
        return Ran(code, out, err)


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capfd)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MotoWorld]:
    """Both accounts in sync, and a profile for each."""
    with moto(monkeypatch):
        world = MotoWorld()
        world.make_policy(BOUNDARY)
        make_in_sync(world)
        file = tmp_path / "credentials"
        file.write_text(_profile("ci-read", CI) + _profile("registry-read", HOME))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
        yield world


def _profile(name: str, account: str) -> str:
    role = f"arn:aws:iam::{account}:role/reader"
    given = boto3.client("sts", "us-east-1").assume_role(RoleArn=role, RoleSessionName="reader")["Credentials"]
    return (
        f"[{name}]\naws_access_key_id={given['AccessKeyId']}\n"
        f"aws_secret_access_key={given['SecretAccessKey']}\naws_session_token={given['SessionToken']}\n"
    )


def test_accounts_in_sync_are_reported_as_such(world: MotoWorld, shell: Shell) -> None:
    ran = shell("check", str(SPEC_FILE), *BOTH)
    # moto has neither creation templates nor pull-through cache rules, so not everything that decides can be read.
    assert (ran.code, ran.last_line) == (1, "5 targets: 4 ok, 0 differ, 0 unreadable, 1 unaudited")
    lists = ("creation templates", "pull-through cache rules")
    unread = "; ".join(f"{HOME}/{CHECKOUT.region}: {one}: crashed" for one in lists)
    unproved = f"who has access is unknown: could not be read: {unread}"
    assert ran.unfolded.splitlines()[0] == f"unaudited   {CHECKOUT}: {unproved}"
    assert shell("plan", str(SPEC_FILE), *BOTH).code == 0


def test_an_account_without_credentials_is_unreadable_and_the_others_are_read(world: MotoWorld, shell: Shell) -> None:
    world.put(repository_policy(CHECKOUT), repository_document("mallory"))
    ran = shell("check", str(SPEC_FILE), "--profile", "registry=registry-read")
    assert ran.code == 1
    assert f"differs     {CHECKOUT}" in ran.out
    reason = (
        f"account {CI} cannot be read: the default credentials belong to account {DEFAULT}; "
        f"pass --profile ci=PROFILE with a profile for {CI}"
    )
    assert as_people(f"unreadable  user/{CI}/*: {reason}\n") in ran.unfolded
    assert ran.last_line.startswith("6 targets: 1 ok, 1 differs, 4 unreadable")


def test_default_credentials_are_used_for_their_own_account(
    world: MotoWorld, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):  # set and removed by moto
            environment.delenv(name)
        environment.setenv("AWS_PROFILE", "ci-read")
        assert shell("plan", str(SPEC_FILE), "--profile", "registry=registry-read").code == 0


def test_one_reason_for_all_accounts_is_one_line(
    world: MotoWorld, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    ran = shell("snapshot", "--spec", str(SPEC_FILE), "--json")
    assert ran.code == 1
    assert ran.json["error"]["code"] == "no-account-readable"
    assert ran.err == (
        "ecr-warden: no account of the spec can be read: the default credentials do not work: The config profile "
        "(gone) could not be found; pass --profile ACCOUNT=PROFILE, or set AWS_PROFILE\n"
    )


def test_several_reasons_are_one_entry_each(world: MotoWorld, shell: Shell) -> None:
    ran = shell("plan", str(SPEC_FILE), "--profile", "ci=gone")
    assert (ran.code, ran.out) == (1, "")
    first, second, last = unfolded(ran.err).splitlines()
    assert first.startswith(f"account ci ({CI}) cannot be read: the profile gone does not work: ")
    assert second.startswith(f"account registry ({HOME}) cannot be read: the default credentials belong to ")
    assert last == "ecr-warden: no account of the spec can be read; see above"
