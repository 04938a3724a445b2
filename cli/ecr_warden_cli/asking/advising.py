"""What to do about a no: how the spec gives it, tried before it is said, or what else."""

from copy import replace
from functools import partial

from ecr_warden.access.missing import Side
from ecr_warden.access_spec import Valid
from ecr_warden.audit.advice import Advice, advise
from ecr_warden.core.actions import IMPORT, Access
from ecr_warden.core.address import trust_policy
from ecr_warden.core.administering import administering
from ecr_warden.core.ours import ours_of
from ecr_warden.core.target import RoleTarget
from ecr_warden_cli.asking.access import CanI, place_in_spec
from ecr_warden_cli.asking.asked_access import Asking
from ecr_warden_cli.asking.estate_input import OpenedEstate
from ecr_warden_cli.asking.owners import outside_owners
from iam_access.document.principal import IDENTITY_CENTER_NAME
from iam_access.evaluate.request_principal import CallerKind, is_identity_center_role
from iam_access.text.printable import printable
from iam_access.who_can.decide import Answer
from iam_access.who_can.ours import Ours

_GRAVE = (Access.DELETE, Access.ADMIN)


def ours_in(asked: OpenedEstate) -> Ours:
    """Those who are ours: by the spec, or without one whoever is in an account that was read."""
    return ours_of(asked.spec.compiled) if asked.spec is not None else Ours(frozenset(asked.estate.accounts))


def advised(asked: OpenedEstate, found: CanI, asking: Asking) -> CanI:
    """The answer with what to do about a no."""
    is_root = asking.subject.principal.kind is CallerKind.ROOT
    # A root user assumes no role, whatever policies say: no change is known, and still there is something to do.
    if found.change is None and not (is_root and found.answer is Answer.NO):
        return found
    spec, edits, ours = asked.spec, found.change.edits if found.change else (), ours_in(asked)
    if spec is None:
        return replace(found, advice=advise(asking.subject, asking.does, asking.where, edits, ours=ours))
    if outside := outside_owners(asked, spec, asking, edits):
        return replace(found, advice=outside)
    places = {edit: place_in_spec(edit, spec.compiled) for edit in edits}
    # A grant only adds, and nothing to a boundary: where something else keeps somebody out, it alone cures nothing.
    barring = [edit for edit in edits if edit.index is not None or edit.side is Side.BOUNDARY]
    is_control = any(edit.side in (Side.SERVICE_CONTROL, Side.RESOURCE_CONTROL) for edit in edits)
    why = barring if barring and not is_control else edits
    in_spec = partial(_in_spec, spec, asking, is_beside=not any(places.values()), is_barred=bool(barring))
    advice = advise(asking.subject, asking.does, asking.where, why, ours=ours, in_spec=in_spec)
    if kept := dict.fromkeys(place for edit in advice.edits if (place := places[edit])):
        lines = f"what the spec describes, write there: {' and '.join(kept)}"
        advice = replace(advice, text=f"{advice.text}; {lines}", in_spec=True)
    return replace(found, advice=advice, places=places)


def _in_spec(spec: Valid, asking: Asking, *, is_beside: bool, is_barred: bool) -> Advice | None:
    """The way in which a spec gives it, where it can.

    `is_beside`: nothing that is missing is in a document of the spec; `is_barred`: something keeps them out.
    """
    identity, target, what = asking.subject.identity, asking.target, asking.what
    if what in _GRAVE or what in administering():
        return Advice(f"whoever owns {asking.where} decides: no grant gives it")
    if is_barred or identity is None or target is None or identity.account not in spec.spec.aliases:
        return None
    alias, where, is_pull = spec.spec.aliases[identity.account], printable(target.name, 200), what == Access.PULL
    who = f"{alias}:{identity.arn.partition('::')[2].partition(':')[2]}"
    if what == IMPORT:
        return Advice(f"write {{by: [{who}], upstream: true}} under pull: of {where}", in_spec=True)
    if not is_pull and what != Access.PUSH:
        return None
    role = RoleTarget(identity.account, identity.name)
    entry = spec.compiled.spec_of(role)
    if entry is not None and trust_policy(role) in entry.granted:
        pushes = f"is a push role, which pushes where its grants are: whoever signs in with it needs a grant of {where}"
        pulls = f"set pull: true at the grant of {identity.name} under push: of {where}: it is a push role"
        return Advice(pulls if is_pull else f"{identity.name} {pushes}", in_spec=True)
    if is_identity_center_role(identity.arn):
        name = identity.name.removeprefix(IDENTITY_CENTER_NAME).rpartition("_")[0]
        under = f"under pull: of {where}" if is_pull else f"under push: of {where}, by: of a push role"
        return Advice(f"write {{sso: {{permission_set: {name}, account: {alias}}}}} {under}", in_spec=True)
    from ecr_warden_cli.asking.grant_trial import tried_grant  # noqa: PLC0415 - comparing versions takes long to load

    return tried_grant(spec, asking, target, who, identity.arn, is_beside=is_beside)
