"""Documents, requests and lines that are nearly right, and some that are not."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.property import estates, policy_documents, universe

_TEXTS = (
    *(
        "",
        " ",
        "*",
        "?",
        "**",
        "a*b",
        "?*",
        ":",
        "*:*",
        "ecr:*",
        "ECR:putimage",
        "sts:AssumeRole",
        "ecr",
        "ecr:Put Image",
    ),
    *(
        "${",
        "${}",
        "${*}",
        "${?}",
        "${$}",
        "${aws:username}",
        "${AWS:UserName, 'x'}",
        "${aws:username,'*'}",
        "${a${b}}",
    ),
    *("111111111111", "11111111111", "arn:aws:iam::111111111111:root", "arn:aws-cn:iam::111111111111:root"),
    *("arn:aws-us-gov:iam::111111111111:user/*", "arn:aws:iam::111111111111:role/p/r", "arn:aws:iam::x:root"),
    *("arn:aws:sts::111111111111:assumed-role/r/s", "arn:aws:sts::111111111111:federated-user/f", "arn:", "arn:aws:s3"),
    *("AIDAQHBJ5XEXAMPLE0001", "states.amazonaws.com", "states.eu-central-1.amazonaws.com", "accounts.google.com"),
    *("arn:aws:iam::111111111111:saml-provider/p", "arn:aws:iam::111111111111:oidc-provider/o", "service:name"),
    *("true", "TRUE", "false", "1", "1.0", "1e0", "-0", "9" * 50, "2026-01-01", "2026-01-01T00:00:00+01:00"),
    *(
        "1767225600",
        "1767225600000",
        "10.0.0.0/8",
        "10.1.2.3/8",
        "10.0.0.0/99",
        "::1",
        "2001:DB8::/32",
        "QUJD",
        "QUJD=",
    ),
    *("\u00c9", "\u0663", "1e400", "0001-01-01T00:00:00+14:00", "fe80::1%eth0", "::/0"),
    *("\u0130", "\u017f", "\u212a", "\ufeff", "a" * 300, "*a" * 40, "Allow", "Deny", "2012-10-17"),
)
_SCALARS: tuple[Any, ...] = (*_TEXTS, True, False, 0, -1, 1.5, 1e16, 1e-9)
_ODD = (*_SCALARS, None, 10**60, [], {}, [[]], [{}], ["*", "*"], {"AWS": []}, "\x00", "\ud800")
_OPERATORS = tuple(
    f"{quantifier}{name}{suffix}"
    for name in (
        *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike", "NumericEquals"),
        *("NumericNotEquals", "NumericLessThan", "DateLessThan", "DateNotEquals", "Bool", "BinaryEquals", "IpAddress"),
        *("NotIpAddress", "ArnEquals", "ArnNotLike", "Null", "stringequals"),
    )
    for quantifier in ("", "", "ForAllValues:", "ForAnyValue:")
    for suffix in ("", "IfExists")
)
_KEYS = (
    *("aws:SourceIp", "aws:username", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:CurrentTime", "aws:EpochTime"),
    *(
        "aws:SecureTransport",
        "aws:TagKeys",
        "AWS:tagkeys",
        "aws:SourceArn",
        "sts:ExternalId",
        "k",
        "",
        "a key",
        "\u0130",
    ),
    *("aws:PrincipalTag/team", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalType", "aws:SourceAccount"),
    *("aws:SourceVpce", "aws:TokenIssueTime", "aws:MultiFactorAuthPresent", "sts:RoleSessionName", "aws:userid"),
    *("ecr:ResourceTag/a", "token.actions.githubusercontent.com:sub", "aws:ResourceAccount", "aws:RequestedRegion"),
)

texts = st.sampled_from(_TEXTS) | st.text("ab*?:/${}", max_size=8)
odd = st.sampled_from(_ODD) | st.text(max_size=8) | st.integers() | st.floats()
some = texts | st.lists(texts, min_size=1, max_size=3)
scalars = st.sampled_from(_SCALARS)
conditions = st.dictionaries(
    st.sampled_from(_OPERATORS),
    st.dictionaries(st.sampled_from(_KEYS), scalars | st.lists(scalars, max_size=3), max_size=2),
    max_size=2,
)
principals = st.sampled_from(("*", *({"AWS": one} for one in universe.NAMED), {"Service": "*"})) | st.dictionaries(
    st.sampled_from(("AWS", "Service", "Federated", "CanonicalUser")), some, max_size=3
)
actions = some | st.sampled_from(
    ("ecr:PutImage", "ecr:?utImage", "ECR:*image", "sts:AssumeRole*", "STS:assumerole", "s3:x")
)
universes = st.builds(universe.pair, st.integers(0, 2**64))


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    """One statement of any kind of document, its values anything."""
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Deny", "allow")))}
    statement[draw(st.sampled_from(("Action", "Action", "NotAction")))] = draw(actions)
    for name, given in (("Principal", principals), ("Resource", some), ("Condition", conditions)):
        if draw(st.booleans()):
            negated = name != "Condition" and draw(st.integers(0, 4)) == 0
            statement[f"Not{name}" if negated else name] = draw(given)
    return statement


_whole = st.builds(
    lambda version, given: {"Version": version, "Statement": given},
    st.sampled_from(("2012-10-17", "2012-10-17", "2008-10-17")),
    st.lists(statements(), min_size=1, max_size=4),
)


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """A document, in up to three places not what it was."""
    whole = draw(_whole | _whole | policy_documents.documents() | universes.map(lambda pair: pair[1]))
    return draw(changed(whole))


@st.composite
def changed(draw: st.DrawFn, whole: Any) -> Any:
    """The same with up to three values replaced, dropped, doubled or put in brackets."""
    root = [copy.deepcopy(whole)]
    for _ in range(draw(st.sampled_from((0, 0, 0, 0, 1, 1, 2, 3)))):
        places = list(_places(root))
        container, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(("replace", "replace", "drop", "bracket", "double"))):
            case "drop" if container is not root:
                del container[key]
            case "bracket":
                container[key] = [container[key]]
            case "double" if isinstance(container[key], list):
                container[key] = container[key] * 2
            case _:
                # A copy, or a later change would change what is drawn next time.
                container[key] = copy.deepcopy(draw(odd))
    return root[0]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two documents, the second often made of the first: by a change, or by a statement more."""
    if draw(st.integers(0, 3)) == 0:
        return draw(universes)[1:]
    one = draw(documents())
    match one:
        case {"Statement": [*given]} if draw(st.booleans()):
            return one, {**one, "Statement": [*given, draw(statements())]}
    return one, draw(changed(one) | documents())


_DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "Document", "policy", "registryPolicy")


@st.composite
def snapshots(draw: st.DrawFn) -> bytes:
    """A snapshot of accounts with some documents of any kind, in up to three places not what it was, or cut off."""
    whole = copy.deepcopy(draw(estates.estates()))
    held = [(container, key) for container, key in _places([whole]) if key in _DOCUMENTS]
    for container, key in held:
        if draw(st.integers(0, 3)) == 0:
            container[key] = draw(documents())
    text = json.dumps(draw(changed(whole))).encode()
    match draw(st.integers(0, 9)):
        case 0:
            return text[: draw(st.integers(0, len(text)))]
        case 1:
            return text.replace(b"{", b'{"schema": 1, ', 1)
        case _:
            return text
