"""From desired and observed documents to a plan, and from its outcomes to a result; pure."""
