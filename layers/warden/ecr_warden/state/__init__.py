"""What a repair needs to remember: the accepted spec, targets, pauses, the stop switch, the journal."""
