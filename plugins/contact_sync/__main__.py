"""`python -m contact_sync`."""

from contact_sync.cli import main

raise SystemExit(main())
