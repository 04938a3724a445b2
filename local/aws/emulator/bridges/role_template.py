"""A role's PermissionsBoundary in a template is set, and must exist: ministack drops the property."""

from typing import Any

from local.aws.emulator.modules import BridgeBroken, iam, provisioners

_ROLE = "AWS::IAM::Role"


def _set_boundary(name: str, props: Any) -> None:
    boundary = props.get("PermissionsBoundary")
    if boundary and not iam._policy_exists(boundary):
        raise ValueError(f"Scope ARN: {boundary} does not exist or is not attachable.")
    iam._roles[name]["PermissionsBoundary"] = boundary


def install() -> None:
    """Wrap the template handlers of roles."""
    handlers = provisioners._RESOURCE_HANDLERS.get(_ROLE, {})
    if not {"create", "update"} <= handlers.keys():
        raise BridgeBroken(f"ministack's handlers of {_ROLE} are gone")
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, props: Any, stack_name: str) -> Any:
        name, attributes = create(logical_id, props, stack_name)
        try:
            _set_boundary(name, props)
        except ValueError:
            iam._roles.pop(name, None)
            raise
        return name, attributes

    def updated(physical_id: str, old_props: Any, new_props: Any, stack_name: str, logical_id: Any = None) -> Any:
        name, attributes = update(physical_id, old_props, new_props, stack_name, logical_id)
        _set_boundary(name, new_props)
        return name, attributes

    handlers["create"], handlers["update"] = created, updated
