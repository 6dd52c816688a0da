"""What exists for a laptop, the demo and the tests only; the product never imports it."""
