"""What a principal could do to become somebody else."""
