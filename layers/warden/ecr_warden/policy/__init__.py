"""IAM's policy language: documents, canonical form, equivalence, access. Independent of ECR and of jobs."""
