"""Plans as the command prints them, read back."""

from ecr_warden.core.codec.base import reader
from ecr_warden.core.codec.runs import with_plan
from ecr_warden.core.plan import Plan

plan_from_json = reader("plan", Plan, with_plan)
