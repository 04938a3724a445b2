"""The ways to people: a chat webhook, e-mail through SNS, or both."""
