"""An estate to the spec that describes it: what grants say exactly becomes grants, everything else stays as it is."""
