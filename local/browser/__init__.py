"""A real browser for the screenshots and the tests."""
