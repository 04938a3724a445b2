"""Who is ours of those who are named outside of any document."""

from functools import lru_cache

from iam_access.delta.delta import PermissionDelta
from iam_access.document.document import Effect
from iam_access.document.principal import SERVICE, WEB_PROVIDERS, Principal, PrincipalKind
from iam_access.who_can.ours import Ours, outsiders


# An audit asks it of each way to each resource.
@lru_cache(maxsize=65_536)
def standing_for(text: str, ours: Ours) -> tuple[str, ...]:
    """The same for whoever a text stands for that is no document: an account ID, an ARN, a service, a provider or `*`.

    Nothing says for whom a service acts, or whom a provider vouches for.
    """
    provider = text in WEB_PROVIDERS or ":oidc-provider/" in text or ":saml-provider/" in text
    kind: PrincipalKind = "Federated" if provider else "Service" if SERVICE.fullmatch(text) else "AWS"
    return outsiders(PermissionDelta(Effect.ALLOW, Principal(kind, text), None, None), ours.in_literal, home="")
