"""`python -m tests.prove`: everything, as `make prove`."""

import sys

from tests.prove.whole import main

if __name__ == "__main__":
    sys.exit(main())
