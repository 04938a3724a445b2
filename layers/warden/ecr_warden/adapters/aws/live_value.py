"""What AWS returned, as an observed value with the digest that a later write expects."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ecr_warden.errors import site_of
from ecr_warden.model.desired import RoleSettings
from ecr_warden.model.observed import Observed, Present, Unparseable
from ecr_warden.policy.canonical import digest
from ecr_warden.policy.document import DocumentError, DocumentKind, parse_document


def document(raw: str | Mapping[str, Any], kind: DocumentKind) -> Observed:
    """A policy document: text from ECR, a dict that boto3 decoded from IAM (or text it could not decode)."""
    try:
        parsed = parse_document(raw)
        return Present(parsed, digest(parsed, kind=kind))
    except DocumentError as error:
        return _unparseable(raw, str(error))
    except Exception as error:
        return _unparseable(raw, f"ecr-warden failed to interpret it ({site_of(error)})")


def _unparseable(raw: str | Mapping[str, Any], error: str) -> Unparseable:
    text = raw if isinstance(raw, str) else json.dumps(raw, sort_keys=True)
    return Unparseable(error, text, hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest())


def role_settings(role: Mapping[str, Any]) -> Present:
    """A role's own settings from GetRole, or from ListRoles joined with GetAccountAuthorizationDetails."""
    settings = RoleSettings(
        path=role["Path"],
        max_session_duration=role.get("MaxSessionDuration", 3600),
        boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    )
    return Present(settings, settings_digest(settings))


def settings_digest(settings: RoleSettings) -> str:
    """The digest of a role's settings."""
    text = json.dumps([settings.path, settings.max_session_duration, settings.boundary])
    return hashlib.sha256(text.encode()).hexdigest()
