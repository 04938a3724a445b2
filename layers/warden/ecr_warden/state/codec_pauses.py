"""Pauses, as the hub's table keeps them."""

from ecr_warden.core.codec.base import forms
from ecr_warden.core.job import SCHEMA
from ecr_warden.core.pause import PatternPause, Pause

pause_to_json, pause_from_json = forms("pause", Pause, SCHEMA)
pattern_pause_to_json, pattern_pause_from_json = forms("pause of patterns", PatternPause, SCHEMA)
