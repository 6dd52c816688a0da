"""The test suite; see CONTRIBUTING for what belongs where."""
