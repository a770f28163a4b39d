"""Training: feature stores, batches, the two-pass objective and the loop. Nothing else imports this package."""
