"""Reading a version of a layer takes lambda:GetLayerVersion (Service Authorization Reference, Lambda)."""

from local.aws.emulator.modules import iam_actions, signature, wrap

_PARAMETERS = ("method", "path")


def install() -> None:
    """Wrap the action of a call of Lambda: ministack takes every reading of layers for ListLayers."""
    original = signature(iam_actions, "_lambda_action", *_PARAMETERS)

    def action(method: str, path: str) -> str | None:
        match [method, *path.strip("/").split("/")]:
            case ["GET", _, "layers", _, "versions", _]:
                return "GetLayerVersion"
        found: str | None = original(method, path)
        return found

    wrap(iam_actions, "_lambda_action", *_PARAMETERS)(action)
