"""What an operator does: run, look, check, replay, and read files without a Kafka."""
