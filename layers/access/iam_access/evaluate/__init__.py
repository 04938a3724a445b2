"""Whether a request is allowed by all policies that apply to it, for policies given as values."""
