"""Holds and the decisions on them, as the hub's table keeps them."""

from ecr_warden.core.codec.base import forms
from ecr_warden.state.hold import Decision, Hold
from ecr_warden.state.holds import Judged, Publication

SCHEMA = 1
_RULE = 2
"""By which versions are judged: what another one found is no verdict any more, and is asked for again."""

# The decision on a hold that waits is a record of its own.
hold_to_json, hold_from_json = forms("hold", Hold, SCHEMA)
decision_to_json, decision_from_json = forms("decision", Decision, SCHEMA)
publication_to_json, publication_from_json = forms("publication", Publication, SCHEMA)
judged_to_json, judged_from_json = forms("verdict", Judged, _RULE)
