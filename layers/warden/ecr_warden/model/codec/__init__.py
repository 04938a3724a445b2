"""The one JSON form of the model.

The command line, the journal, the queue and the outcomes bus share it. Names of fields and kinds are stable. A reader
refuses unknown fields and kinds with a CodecError, so that nothing half-understood is ever acted on.
"""
