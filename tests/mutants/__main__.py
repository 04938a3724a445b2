"""`python -m tests.mutants`: plants every bug, as `make prove`."""

import sys

from tests.mutants.whole import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
