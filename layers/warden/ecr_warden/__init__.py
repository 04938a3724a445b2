"""Keeps the policy documents of ECR push and pull grants across accounts equal to a spec."""
