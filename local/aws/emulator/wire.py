"""Errors in each service's protocol: writing and reading them."""

import json
import re
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape, unescape

type Reply = tuple[int, dict[str, str], bytes]

_QUERY = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "sns": "http://sns.amazonaws.com/doc/2010-03-31/",
    "cloudformation": "http://cloudformation.amazonaws.com/doc/2010-05-15/",
}


def error(service: str, code: str, message: str, status: int) -> Reply:
    """An AWS error reply: query XML, REST XML for S3, else JSON 1.1."""
    request_id = str(uuid4())
    named = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if service in _QUERY:
        fault = "Sender" if status < 500 else "Receiver"
        body = (
            f'<ErrorResponse xmlns="{_QUERY[service]}"><Error><Type>{fault}</Type>{named}</Error>'
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return status, {"Content-Type": "text/xml", "x-amzn-requestid": request_id}, body.encode()
    if service == "s3":
        body = f'<?xml version="1.0" encoding="UTF-8"?><Error>{named}<RequestId>{request_id}</RequestId></Error>'
        return status, {"Content-Type": "application/xml", "x-amz-request-id": request_id}, body.encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": code, "x-amzn-requestid": request_id}
    if service == "sqs":
        headers["x-amzn-query-error"] = f"{code};Sender"
    return status, headers, json.dumps({"__type": code, "message": message}).encode()


def xml_text(body: bytes, element: str) -> str:
    """The text of the first element of this name, or ""."""
    found = re.search(rf"<{element}>([^<]*)</{element}>".encode(), body)
    return unescape(found[1].decode()) if found else ""


def error_of(status: int, body: bytes) -> tuple[str, str]:
    """Code and message of an error reply; two empty texts for a success."""
    if status < 400:
        return "", ""
    if body[:1] == b"{":
        found: Any = json.loads(body)
        code = str(found.get("__type") or found.get("Code") or found.get("code") or status)
        return code.rsplit("#", 1)[-1], str(found.get("message") or found.get("Message") or "")
    return xml_text(body, "Code") or str(status), xml_text(body, "Message")


def with_message(reply: Reply, old: str, new: str) -> Reply:
    """An error reply with another message."""
    status, headers, body = reply
    if body[:1] == b"{":
        return status, headers, body.replace(json.dumps(old).encode(), json.dumps(new).encode())
    return status, headers, body.replace(escape(old).encode(), escape(new).encode())
