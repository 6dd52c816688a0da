"""Tests of the pure core: no server, no database."""
