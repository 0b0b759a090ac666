"""The path on Kafka: articles in, events, stories and alerts out.

app.py           the worker process and its agents: what runs when an article, event or story arrives
inbox.py         articles that wait for the pool, new ones first
past.py          articles of the past, from a topic of their own
pool.py          articles through flow.read, in processes of their own
acknowledge.py   acknowledge messages in the order of their partition
recovery.py      read the state of a partition from Kafka
watchdog.py      end a worker that has stalled
faust_app.py     the Faust app; the only importer of faust
"""
