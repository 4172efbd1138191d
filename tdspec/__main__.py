"""`python -m tdspec` is the command `tdspec`."""

from __future__ import annotations

import sys

from tdspec.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
