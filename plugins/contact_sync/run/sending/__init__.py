"""What `send_batch` does with one batch, from the upload to the ledger."""
