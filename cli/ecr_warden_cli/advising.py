"""What to do about a no: how the spec gives it, tried before it is said, or what else."""

from copy import replace
from datetime import datetime
from functools import partial

from msgspec import Struct

from ecr_warden.access_spec import Valid
from ecr_warden.audit.advice import Advice, advise
from ecr_warden.core.actions import IMPORT, Access
from ecr_warden.core.address import trust_policy
from ecr_warden.core.administering import administering
from ecr_warden.core.ours import ours_of
from ecr_warden.core.target import RepositoryTarget, RoleTarget
from ecr_warden_cli.access import CanI, place_in_spec
from ecr_warden_cli.estate_input import OpenedEstate
from iam_access.document.principal import IDENTITY_CENTER_NAME
from iam_access.evaluate.request_principal import is_identity_center_role
from iam_access.inventory.inventory import Identity
from iam_access.text.printable import printable
from iam_access.who_can.ours import Ours
from iam_access.who_can.subject import Subject

_GRAVE = (Access.DELETE, Access.ADMIN)


class Asking(Struct, frozen=True):
    """Who would do what where: `does`, such as `push shop/checkout`; `what`: an access or action.

    `target`: the repository, None for a role or for signing in; `file`: of the spec, None for the hub's.
    """

    subject: Subject
    does: str
    what: str
    where: str
    target: RepositoryTarget | None
    file: str | None
    now: datetime


def advised(asked: OpenedEstate, found: CanI, asking: Asking) -> CanI:
    """The answer with what to do about a no."""
    if found.change is None:
        return found
    spec, edits = asked.spec, found.change.edits
    ours = Ours(frozenset(asked.estate.accounts)) if spec is None else ours_of(spec.compiled)
    places = {} if spec is None else {edit: place_in_spec(edit, spec.compiled) for edit in edits}
    given = None if spec is None else partial(_in_spec, spec, asking)
    advice = advise(asking.subject, asking.does, asking.where, edits, ours=ours, in_spec=given or (lambda: None))
    if kept := dict.fromkeys(place for edit in advice.edits if (place := places.get(edit))):
        lines = f"what the spec describes, write there: {' and '.join(kept)}"
        advice = replace(advice, text=f"{advice.text}; {lines}", in_spec=True)
    return replace(found, advice=advice, places=places)


def _in_spec(spec: Valid, asking: Asking) -> Advice | None:
    """How a spec gives it, where it can."""
    identity, target, what = asking.subject.identity, asking.target, asking.what
    if what in _GRAVE or what in administering():
        return Advice(f"whoever owns {asking.where} decides: no grant gives it")
    alias = None if identity is None else spec.spec.aliases.get(identity.account)
    if identity is None or alias is None or target is None:
        return None
    who = f"{alias}:{identity.arn.partition('::')[2].partition(':')[2]}"
    where = printable(target.name, 200)
    if what == IMPORT:
        return Advice(f"write {{by: [{who}], upstream: true}} under pull: of {where}", in_spec=True)
    if what not in (Access.PULL, Access.PUSH):
        return None
    under = f"under {what}: of {where}" if what == Access.PULL else f"under push: of {where}, by: of a push role"
    if _is_push_role(identity, spec):
        return Advice(_of_push_role(identity, asking, where), in_spec=True)
    if is_identity_center_role(identity.arn):
        name = identity.name.removeprefix(IDENTITY_CENTER_NAME).rpartition("_")[0]
        return Advice(f"write {{sso: {{permission_set: {name}, account: {alias}}}}} {under}", in_spec=True)
    from ecr_warden_cli.trying import tried_grant  # noqa: PLC0415 - comparing versions takes long to load

    return tried_grant(spec, asking, who, identity.arn)


def _is_push_role(identity: Identity, spec: Valid) -> bool:
    role = RoleTarget(identity.account, identity.name)
    entry = spec.compiled.spec_of(role)
    return entry is not None and trust_policy(role) in entry.granted


def _of_push_role(identity: Identity, asking: Asking, where: str) -> str:
    if asking.what == Access.PULL:
        return f"set pull: true at the grant of {identity.name} under push: of {where}: it is a push role"
    needs = f"whoever signs in with it needs a grant of {where}"
    return f"{identity.name} is a push role, which pushes where its grants are: {needs}"
