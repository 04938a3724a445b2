"""Entries of the history log."""

from ecr_warden.core.codec.base import forms
from ecr_warden.core.job import SCHEMA
from ecr_warden.state.history import HistoryEntry

history_to_json, history_from_json = forms("history entry", HistoryEntry, SCHEMA)
