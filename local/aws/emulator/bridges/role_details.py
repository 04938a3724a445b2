"""GetAccountAuthorizationDetails includes a role's permissions boundary, as on AWS: ministack omits it.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleDetail.html
"""

from typing import Any

from local.aws.emulator.modules import BridgeBroken, iam, signature

_ACTION = "GetAccountAuthorizationDetails"


def with_boundaries(body: bytes, roles: Any) -> bytes:
    """The answer, with the boundary after the ARN of each role that has one."""
    for role in roles:
        if role.get("PermissionsBoundary"):
            arn = f"<Arn>{role['Arn']}</Arn>"
            boundary = (
                "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>"
                f"<PermissionsBoundaryArn>{role['PermissionsBoundary']}</PermissionsBoundaryArn></PermissionsBoundary>"
            )
            body = body.replace(arn.encode(), (arn + boundary).encode())
    return body


def install() -> None:
    """Wrap the action's handler."""
    original = signature(iam, "_get_account_authorization_details", "p")
    if iam._IAM_HANDLERS.get(_ACTION) is not original:
        raise BridgeBroken(f"ministack answers {_ACTION} elsewhere")

    def details(p: Any) -> Any:
        status, headers, body = original(p)
        return status, headers, with_boundaries(body, list(iam._roles.values()))

    iam._IAM_HANDLERS[_ACTION] = details
