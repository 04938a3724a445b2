"""The channels: a chat webhook, e-mail through SNS, or both."""
