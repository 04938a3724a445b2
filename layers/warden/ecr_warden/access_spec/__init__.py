"""The spec: from text to a validated spec and its desired documents."""

from ecr_warden.access_spec.problems import Code, Place, Problem
from ecr_warden.access_spec.spec import Spec
from ecr_warden.access_spec.validate import Invalid, Loaded, Valid, load_spec, load_tree

__all__ = ["Code", "Invalid", "Loaded", "Place", "Problem", "Spec", "Valid", "load_spec", "load_tree"]
