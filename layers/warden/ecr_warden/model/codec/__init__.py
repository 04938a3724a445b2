"""The one JSON form of the model.

The command line, the journal, the queue and the outcomes bus share it. A reader refuses another schema and what does
not fit with a CodecError, so that nothing half-understood is ever acted on.
"""
