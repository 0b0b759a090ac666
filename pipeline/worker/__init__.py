"""The path on Kafka: the Faust app, its pool of processes, its watchdog."""
