"""What an operator does: run the service, look at it, check, replay, and process files without Kafka.

service.py            the supervisor of `dateline run`
service_process.py    one child process of the service: start, restart, stop, log file
parent.py             how a child process ends with its parent
live.py               counters and new events for the screen of `dateline run`
status.py             `dateline status`
probe.py              ask one process for /readyz and /metrics
check.py              `dateline check`: every configuration file
quarantine.py         records that could not be processed: list them, send them again
replay.py             let a consumer group read its topics again
rebuild.py            past articles through today's code into new indices, and the switch
offline.py            the path over files: trace, explain, stories
backtest_run.py       the rules over past events
"""
