"""Pauses, as the hub's table keeps them."""

from ecr_warden.core.codec.base import reader
from ecr_warden.core.pause import PatternPause, Pause

pause_from_json = reader("pause", Pause)
pattern_pause_from_json = reader("pause of patterns", PatternPause)
