"""What the use cases need from outside, as protocols, and the errors that such calls raise.

adapters/ implements them on AWS and chat; local/testing/memory in memory, for tests.
"""
