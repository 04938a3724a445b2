"""One gap of ministack a file, each bridged by wrapping one private function of the pinned version."""
