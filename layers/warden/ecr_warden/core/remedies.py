"""Commands that remedies of several packages name."""

RECONCILE = "ecr-warden reconcile"
DEPLOY_AND_RECONCILE = f"ecr-warden deploy, then {RECONCILE}"
"""What a change of the write scope takes: `deploy` alone repairs nothing that could not be written before."""
