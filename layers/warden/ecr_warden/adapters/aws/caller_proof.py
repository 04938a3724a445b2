"""What a caller signs, and how: the two ends of a proof of identity (docs/adr/0006).

A proof is the signature of a GetCallerIdentity request that has two headers more: the hub's function that it is for and
the digest of the request that it is about. Whoever has it can ask STS who signed it, and do nothing else with it.
Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html (no permission is needed)
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials

BODY = "Action=GetCallerIdentity&Version=2011-06-15"
HUB_HEADER, REQUEST_HEADER = "X-EcrWarden-Hub", "X-EcrWarden-Request"
SIGNED = "content-type;host;x-amz-date;{}x-ecrwarden-hub;x-ecrwarden-request"
"""With `x-amz-security-token;` in the middle for credentials that have a token."""


def digest_of(request: str) -> str:
    return hashlib.sha256(request.encode()).hexdigest()


def sts_host(region: str) -> str:
    """The host of STS in a region, as both ends sign it wherever the environment sends their calls."""
    return f"sts.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


def bound_headers(host: str, hub: str, request: str) -> dict[str, str]:
    """The headers that both ends make by themselves."""
    return {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Host": host,
        HUB_HEADER: hub,
        REQUEST_HEADER: digest_of(request),
    }


def make_proof(
    credentials: Credentials | ReadOnlyCredentials, *, region: str, hub: str, request: str
) -> Mapping[str, str]:
    """`{"authorization", "date", "token"?}`: good for a few minutes, one hub and one request."""
    host = sts_host(region)
    signed = AWSRequest("POST", f"https://{host}/", headers=bound_headers(host, hub, request), data=BODY)
    signer: Any = SigV4Auth(credentials, "sts", region)
    signer.add_auth(signed)
    proof = {"authorization": signed.headers["Authorization"], "date": signed.headers["X-Amz-Date"]}
    token = signed.headers.get("X-Amz-Security-Token")
    return proof if token is None else {**proof, "token": token}
