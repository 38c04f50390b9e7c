"""Pictures to learn from and to be measured on: where they lie, pairs, batches."""
