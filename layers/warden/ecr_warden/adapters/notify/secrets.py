"""Where the webhook's URL is kept: an SSM SecureString or a Secrets Manager secret."""

from collections.abc import Callable

from ecr_warden.ports.alerts import NotifyError

MAX_AGE = 300
_ACTIONS = {"ssm": "ssm:GetParameter", "secretsmanager": "secretsmanager:GetSecretValue"}
_REMEDY = "write ssm:/NAME or secretsmanager:NAME in the stack parameter WebhookReference"


def secret_reader(reference: str, *, max_age: int = MAX_AGE) -> Callable[[], str]:
    """A function that returns the secret behind `ssm:/name` or `secretsmanager:name`.

    It is read at the first call and then again when older than `max_age` seconds. Raises NotifyError: at once when the
    reference is none, and from the function when the secret cannot be read. The error names the reference only.
    """
    kind, _, name = reference.partition(":")
    if not name or kind not in _ACTIONS:
        raise NotifyError(f"not a reference to a secret: {reference[:120]!r}", remedy=_REMEDY)
    fetch: Callable[[], object] | None = None

    def read() -> str:
        # Imported late: a function without a webhook, and a cold start before the first message, do not pay for it.
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError  # noqa: PLC0415

        nonlocal fetch
        if fetch is None:
            fetch = _fetcher(kind, name, max_age)
        try:
            value = fetch()
        except GetParameterError as error:
            # powertools keeps boto's error as the context only.
            code = getattr(error.__cause__ or error.__context__, "response", {}).get("Error", {}).get("Code", "")
            raise NotifyError(
                f"the webhook's secret {reference} cannot be read ({code or type(error).__name__})",
                remedy=f"check that it exists; template.yaml grants {_ACTIONS[kind]} to the role of the alert function",
                retryable=True,
            ) from error
        return value if isinstance(value, str) else ""

    return read


def _fetcher(kind: str, name: str, max_age: int) -> Callable[[], object]:
    from aws_lambda_powertools.utilities import parameters  # noqa: PLC0415

    if kind == "ssm":
        ssm = parameters.SSMProvider()
        return lambda: ssm.get(name, max_age=max_age, decrypt=True)
    secrets = parameters.SecretsProvider()
    return lambda: secrets.get(name, max_age=max_age)
