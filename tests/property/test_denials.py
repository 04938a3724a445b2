"""Whatever estate and message: advice is valid and exact, a push is no pull, nobody else is let in, AWS is believed."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.versions.access_changes import access_changes
from ecr_warden_cli.asking.denials import PULL, PUSH, denials, plain
from ecr_warden_cli.editing.spec_edit import GrantEdit, edited
from iam_access.document.document import parse_document
from tests import examples
from tests.cli.command import Command, Ran
from tests.cli.denial_house import GRANT, SPEC, answers_after, house

NOW = datetime(2026, 11, 24, tzinfo=UTC)
_HOST = "222222222222.dkr.ecr.eu-central-1.amazonaws.com"
_HERE = "arn:aws:ecr:eu-central-1:222222222222:repository/shop/checkout"
_OURS, _OUTSIDE = ("111111111111", "222222222222"), "333333333333"
_PUSHING = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"]
_PULLING = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_KINDS = ["identity-based policy", "resource-based policy", "permissions boundary", "session policy"]
_KINDS += ["service control policy", "resource control policy", "VPC endpoint policy"]
_NAMED = [f" because no {kind} allows the action" for kind in _KINDS]
_NAMED += [f" with an explicit deny in a {kind}" for kind in _KINDS]
_WHO = sorted(
    one["Arn"]
    for account in house()["accounts"].values()
    for one in (*account["iam"]["UserDetailList"], *account["iam"]["RoleDetailList"])
)
_OUTSIDERS = [
    f"arn:aws:iam::{_OUTSIDE}:root",
    f"arn:aws:iam::{_OUTSIDE}:user/eve",
    f"arn:aws:iam::{_OUTSIDE}:role/x",
    f"arn:aws:sts::{_OUTSIDE}:assumed-role/x/y",
]
_DOES = [(action, resource) for action in (*_PUSHING, *_PULLING, "ecr:DescribeImages") for resource in (_HERE,)]
_DOES += [
    ("ecr:GetAuthorizationToken", "*"),
    ("sts:AssumeRole", "arn:aws:iam::222222222222:role/ecr-warden/ecr-pusher"),
]
_SPEC = load_spec(SPEC.read_bytes(), now=NOW)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("house") / "house.json"
    path.write_text(json.dumps(house()))
    return path


def _explain(estate: Path, message: str, *more: str) -> Ran:
    source = ("--spec", str(SPEC), "--snapshot", str(estate))
    return Command()("explain-denial", *source, *more, stdin=message.encode())


def _message(who: str, does: tuple[str, str], reason: str) -> str:
    return f"User: {who} is not authorized to perform: {does[0]} on resource: {does[1]}{reason}"


@examples.of(60, 200)
@given(who=st.sampled_from(_WHO), does=st.sampled_from(_DOES), reason=st.sampled_from(["", *_NAMED]))
def test_a_command_is_valid_and_gives_this_and_nothing_else(
    estate: Path, who: str, does: tuple[str, str], reason: str
) -> None:
    answer = _explain(estate, _message(who, does, reason), "--json").json
    assert isinstance(_SPEC, Valid)
    text = SPEC.read_text()
    for command in answer["commands"]:
        found = GRANT.fullmatch(command)
        if found is None:
            assert command.startswith(("aws configure set ", "aws ecr get-login-password "))
            continue
        new = load_spec(edited(text, _SPEC.spec, GrantEdit(found[1], found[2], found[3])).encode(), now=NOW)  # type: ignore[arg-type]
        assert isinstance(new, Valid)
        changes = access_changes(_SPEC.compiled, new.compiled).changes
        assert [(one.principal, one.access, one.direction.value) for one in changes] == [(who, found[1], "gains")]
        assert found[1] == ("pull" if does[0] in _PULLING else "push")
        assert answers_after(found, house(), answer["asked"]) in ("yes", "conditional")
    for one in answer.get("missing", ()):
        if one["add"] is not None:
            statement = dict(one["add"])
            assert parse_document({"Version": "2012-10-17", "Statement": [statement]}).statements
            assert "Service" not in statement.get("Principal", {})


@examples.of(60, 200)
@given(
    path=st.sampled_from(["blobs/uploads/", "blobs/uploads/?mount=sha256:0f", "blobs/uploads/0f", "manifests/1.4"]),
    method=st.sampled_from(["POST", "PATCH", "PUT", "Post", "Put", "HEAD", "GET", "Head", "Get"]),
    words=st.sampled_from(
        ['{} "{}"', "{} {}", "unexpected status from {} request to {}", 'failed to do request: {} "{}"']
    ),
    end=st.sampled_from(["403 Forbidden", "unexpected status code 403 Forbidden", "EOF"]),
    masked=st.booleans(),
)
def test_a_push_is_never_a_pull_nor_a_pull_a_push(path: str, method: str, words: str, end: str, masked: bool) -> None:
    host = "***.dkr.ecr.***.amazonaws.com" if masked else _HOST
    found = denials(plain(f"#9 0.6 error: {words.format(method, f'https://{host}/v2/shop/checkout/{path}')}: {end}"))
    is_push = method.upper() in ("POST", "PATCH", "PUT")
    assert {one.tried for one in found} <= {PUSH if is_push else PULL}
    assert found or (end == "EOF" and not is_push)
    assert {one.place.name for one in found} <= {"shop/checkout"}


@examples.of(40, 120)
@given(
    before=st.sampled_from(
        [f"failed to push {_HOST}/shop/checkout:1.4", "failed to upload image", "doPublish: publish", "pushing image x"]
    ),
    method=st.sampled_from(["HEAD", "GET", "Head"]),
    path=st.sampled_from(["blobs/sha256:0f", "manifests/1.4"]),
    steps=st.booleans(),
)
def test_what_a_push_looks_up_is_part_of_it(before: str, method: str, path: str, steps: bool) -> None:
    between = "\n#12 [internal] load metadata" if steps else ""
    request = f"{method} https://{_HOST}/v2/shop/checkout/{path}: unexpected status code 403 Forbidden"
    found = denials(plain(f"#11 {before}{between}: {request}"))
    assert {one.tried for one in found} == {PULL if steps else PUSH}


@examples.of(40, 120)
@given(who=st.sampled_from(_OUTSIDERS), does=st.sampled_from(_DOES), reason=st.sampled_from(["", *_NAMED]))
def test_an_outsider_is_never_let_in(estate: Path, who: str, does: tuple[str, str], reason: str) -> None:
    ran = _explain(estate, _message(who, does, reason))
    assert "ecr-warden grant" not in ran.out
    assert '"Principal"' not in ran.out
    assert '"Effect"' not in ran.out
    assert not re.search("administrators|owner allow|remove statement|ask whoever wrote it", ran.out)
    # docker's token is each account's own to give.
    assert does[1] == "*" or not ran.out.startswith("yes")


@examples.of(60, 200)
@given(who=st.sampled_from([*_WHO, *_OUTSIDERS]), does=st.sampled_from(_DOES), reason=st.sampled_from(_NAMED))
def test_what_aws_names_is_never_contradicted(estate: Path, who: str, does: tuple[str, str], reason: str) -> None:
    answer: dict[str, Any] = _explain(estate, _message(who, does, reason), "--json").json
    assert answer["answer"] == "no"
    assert answer["denied"]["kind"] in reason.lower()
    assert answer["do"] or answer["commands"]


@examples.of(100, 500)
@given(
    text=st.text(max_size=300)
    | st.lists(st.sampled_from(["denied", _HOST, "arn:aws:iam::", "403", "EOF", "***"])).map(" ".join)
)
def test_any_text_is_answered_or_asked_about(text: str) -> None:
    ran = Command()("explain-denial", "--snapshot", "/nowhere", stdin=text.encode())
    assert ran.code in (1, 2)
    assert "Traceback" not in ran.err


_FULL = 1 << 18
_HARD = {
    "beginnings of an ARN": "arn:aws:iam::111111111111:user/",
    "a host again and again": "222222222222.dkr.ecr.eu-central-1.amazonaws.com/v2/",
    "AWS's words without an end": "x is not authorized to perform: ecr:Put",
    "an open record": '"principal": {"arn": "x" {',
    "a request that never ends": "HEAD https://1.dkr.ecr.x.amazonaws.com/v2/a/",
    "one letter": "a",
    "slashes": "/",
    "images of long names": f"{_HOST}/{'a/' * 120}",
    "a status before requests without an end": f"403 Forbidden POST https://{_HOST}/v2/{'a/' * 100}",
    "sessions that never end": "SSO session ",
}


@pytest.mark.parametrize("case", _HARD)
def test_a_message_made_to_be_hard_is_read_to_its_end(case: str) -> None:
    """An expression that tries a text of full length in ever more ways would not come back for minutes."""
    text = (_HARD[case] * _FULL)[:_FULL]
    assert len(denials(plain(text))) <= 2
