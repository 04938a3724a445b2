"""IAM policy language: documents, canonical form, equivalence, access. Knows nothing of ECR jobs."""
