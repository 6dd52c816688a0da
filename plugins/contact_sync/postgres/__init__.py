"""Driver helpers that both databases share."""
