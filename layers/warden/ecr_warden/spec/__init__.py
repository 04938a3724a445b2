"""The desired-state file: text to validated spec to desired documents."""

from ecr_warden.spec.problems import Code, Place, Problem, Severity
from ecr_warden.spec.spec import Spec
from ecr_warden.spec.validate import Invalid, Loaded, Valid, load_spec

__all__ = ["Code", "Invalid", "Loaded", "Place", "Problem", "Severity", "Spec", "Valid", "load_spec"]
