"""The last proof, as it is kept."""

from ecr_warden.audit.finding import ProofRecord
from ecr_warden.core.codec.base import forms

SCHEMA = 1

proof_to_json, proof_from_json = forms("proof", ProofRecord, SCHEMA)
