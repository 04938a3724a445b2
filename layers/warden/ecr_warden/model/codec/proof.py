"""The last proof, as it is kept."""

from ecr_warden.model.codec.base import forms
from ecr_warden.model.finding import ProofRecord

SCHEMA = 1

proof_to_json, proof_from_json = forms("proof", ProofRecord, SCHEMA)
