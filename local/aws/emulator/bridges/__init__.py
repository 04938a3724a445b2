"""One file per gap of ministack, each bridged by wrapping one private function of the pinned version."""
