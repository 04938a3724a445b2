"""What the use cases need from outside, as protocols and the errors that belong to them.

adapters/ fulfils them, and tests hold memory adapters of them; a file a port, under the name of its adapter.
"""
