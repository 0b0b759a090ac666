"""Dateline: news in, events out. This page is the map of the data's path.

    step      module                        record in -> out          topic written      process
    collect   collect/                      Feed -> Article           news.articles      collector
    extract   extract.py                    Article -> Extracted      (none)             worker
    annotate  annotate.py, resolve.py       Extracted -> Document     news.documents     worker
    detect    detect/                       Document -> Events        news.events        worker
    track     track.py, subject.py          Event -> Story            news.stories       worker
    alert     alert.py, alert_state.py            Story -> Alerts           news.alerts        worker
    index     index.py, mappings/           any -> Elasticsearch      (none)             indexer
    notify    notify.py                     Alert -> channels         (none)             notifier
    failure   stage.py                      bytes -> Failure          news.quarantine    any

The same path twice: `flow.py` is the path as plain functions on one article (`dateline trace`), `app.py` is the path on Kafka.
Rules are `rules.py` (the file, checked), `conditions.py` (a rule against a story), `bells.py` (throttle, digest, mutes) and
`rehearse.py`; what people say of alerts is `feedback.py`.
The nouns are in `records/`, configuration in `settings.py`, every metric in `metrics.py`, Kafka outside Faust in `bus/`,
the Kafka and Elasticsearch of a laptop in `local/`, and `cli/` is the command; only it prints.
"""
