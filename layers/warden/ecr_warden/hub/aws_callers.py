"""The Callers port, and the proof of identity that it verifies through STS (docs/adr/0006).

A proof is the signature of a GetCallerIdentity request with two extra headers: the hub function it is for, and the
digest of the request it is about. It lets its holder ask STS who signed it, and nothing else. The function builds the
whole request itself, takes three header values from the proof, and always sends it to STS in its own region.
Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html (no permission is needed)
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser
from msgspec import Struct, field

from ecr_warden.core.clock import Clock
from ecr_warden.core.failures import CallerUnauthenticated, PortError
from ecr_warden.core.job import Actor
from iam_access.arn import parse_arn
from iam_access.text.printable import printable

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

AGE = timedelta(minutes=2)
AHEAD = timedelta(minutes=1)
"""How far a caller's clock may be ahead; STS itself allows 5 minutes either way."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>\w{12,128})/(?P<day>[0-9]{8})/(?P<region>[a-z0-9-]{1,32})/sts/aws4_request, "
    r"SignedHeaders=(?P<signed>[a-z0-9;-]{1,200}), Signature=[0-9a-f]{64}",
    re.ASCII,
)
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.%-]{1,8192}")
_RETRY = "run the command again, which signs it again"
_OK, _SERVER_ERROR = 200, 500
_SECONDS = 5


class StsCallers(Struct):
    """The Callers port, by a proof that STS verifies."""

    sts: "STSClient"
    """Only for its endpoint."""
    region: str
    """The hub's."""
    account: str
    """Its principals may give commands."""
    clock: Clock
    _http: URLLib3Session = field(default_factory=lambda: URLLib3Session(timeout=_SECONDS))

    def authenticate(self, proof: object, request: str, hub: str) -> Actor:
        caller = self._ask(bound_headers(sts_host(self.region), hub, request) | self._proof_headers(proof))
        if caller.account != self.account:
            raise CallerUnauthenticated(
                f"{caller.arn} is not in the hub's account", remedy=f"assume a role in {self.account} first"
            )
        return caller

    def _proof_headers(self, proof: object) -> dict[str, str]:
        """The three headers of the proof, each of a form that can contain nothing else."""
        if not isinstance(proof, Mapping):
            raise CallerUnauthenticated("the request has no proof of who sent it", remedy="use the ecr-warden command")
        token = proof.get("token")
        authorization = _matching(_AUTHORIZATION, proof.get("authorization"), "authorization")
        date = _matching(_DATE, proof.get("date"), "date")[0]
        if authorization["signed"] != SIGNED.format("" if token is None else "x-amz-security-token;"):
            raise CallerUnauthenticated(
                "the proof does not sign the headers that bind it to this hub and request", remedy=_RETRY
            )
        if authorization["region"] != self.region:
            raise CallerUnauthenticated(f"the proof is for {authorization['region']}, the hub is in {self.region}")
        self._check_age(date)
        given = {"Authorization": authorization[0], "X-Amz-Date": date}
        return given if token is None else {**given, "X-Amz-Security-Token": _matching(_TOKEN, token, "token")[0]}

    def _check_age(self, date: str) -> None:
        try:
            signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError as error:
            raise CallerUnauthenticated("the proof's date is not a time") from error
        now = self.clock.now()
        if not now - AGE <= signed <= now + AHEAD:
            raise CallerUnauthenticated(
                f"the proof was signed at {date}, and it is {now:%Y%m%dT%H%M%SZ}",
                remedy=f"{_RETRY}, and set this machine's clock if it is wrong",
            )

    def _ask(self, headers: Mapping[str, str]) -> Actor:
        # The function's environment may set another endpoint, as for any SDK; a request never does.
        prepared = AWSRequest("POST", self.sts.meta.endpoint_url, headers=dict(headers), data=BODY).prepare()
        try:
            answer = self._http.send(prepared)
        except (BotoCoreError, HTTPClientError) as error:
            raise PortError(f"asking STS for the caller: {error!s:.200}", remedy="try again", retryable=True) from error
        if answer.status_code >= _SERVER_ERROR:
            raise PortError(f"STS answered {answer.status_code}", remedy="try again", retryable=True)
        parsed = self._parsed(answer)
        if answer.status_code != _OK:
            why = parsed.get("Error", {}).get("Message", "") or f"status {answer.status_code}"
            raise CallerUnauthenticated(f"STS does not confirm the signature: {why!s:.200}", remedy=_RETRY)
        return actor_of(str(parsed.get("Arn", "")))

    def _parsed(self, answer: Any) -> dict[str, Any]:
        shape = self.sts.meta.service_model.operation_model("GetCallerIdentity").output_shape
        content = {"status_code": answer.status_code, "headers": answer.headers, "body": answer.content[:65536]}
        parser: Any = create_parser("query")
        try:
            parsed: dict[str, Any] = parser.parse(content, shape)
        except Exception as error:  # botocore's parser may raise anything on another server's answer
            raise PortError("STS returned an answer that cannot be parsed", retryable=True) from error
        return parsed


def actor_of(arn: str) -> Actor:
    """The caller behind an ARN as GetCallerIdentity gives it; raises CallerUnauthenticated."""
    parsed = parse_arn(arn)
    if parsed is None:
        raise CallerUnauthenticated(f"STS returned no caller: {printable(arn)}")
    kind, _, rest = parsed.resource.partition("/")
    match kind:
        case "assumed-role":
            name, _, session = rest.partition("/")
            return Actor(
                "AssumedRole",
                arn=arn,
                account=parsed.account,
                issuer=f"arn:{parsed.partition}:iam::{parsed.account}:role/{name}",
                session_name=session,
            )
        case "user":
            return Actor("IAMUser", arn=arn, account=parsed.account)
        case "root":
            return Actor("Root", arn=arn, account=parsed.account)
        case "federated-user":
            return Actor("FederatedUser", arn=arn, account=parsed.account, session_name=rest)
        case _:
            raise CallerUnauthenticated(f"STS returned a caller of an unknown kind: {arn!r:.100}")


def _matching(pattern: re.Pattern[str], value: object, what: str) -> re.Match[str]:
    found = pattern.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise CallerUnauthenticated(f"the proof has no valid {what}", remedy="use the ecr-warden command")
    return found


BODY = "Action=GetCallerIdentity&Version=2011-06-15"
HUB_HEADER, REQUEST_HEADER = "X-EcrWarden-Hub", "X-EcrWarden-Request"
SIGNED = "content-type;host;x-amz-date;{}x-ecrwarden-hub;x-ecrwarden-request"
"""With `x-amz-security-token;` in the middle for credentials that have a token."""


def digest_of(request: str) -> str:
    return hashlib.sha256(request.encode()).hexdigest()


def sts_host(region: str) -> str:
    """The host of STS in a region, as both ends sign it, whatever endpoint the environment sets."""
    return f"sts.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


def bound_headers(host: str, hub: str, request: str) -> dict[str, str]:
    """The headers that both ends compute themselves."""
    return {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Host": host,
        HUB_HEADER: hub,
        REQUEST_HEADER: digest_of(request),
    }


def make_proof(
    credentials: Credentials | ReadOnlyCredentials, *, region: str, hub: str, request: str
) -> Mapping[str, str]:
    """`{"authorization", "date", "token"?}`: valid for a few minutes, one hub and one request."""
    host = sts_host(region)
    signed = AWSRequest("POST", f"https://{host}/", headers=bound_headers(host, hub, request), data=BODY)
    signer: Any = SigV4Auth(credentials, "sts", region)
    signer.add_auth(signed)
    proof = {"authorization": signed.headers["Authorization"], "date": signed.headers["X-Amz-Date"]}
    token = signed.headers.get("X-Amz-Security-Token")
    return proof if token is None else {**proof, "token": token}
