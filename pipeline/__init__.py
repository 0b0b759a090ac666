"""Dateline: news in; events, stories and alerts out. This page is the map: one line for each room, in the order of the data.

The path, as plain functions in flow.py (`dateline trace`) and on Kafka in worker/:

    collect/    Feed -> Article          feeds and pages from the web (feed.py, http_client.py), articles to Kafka (writer.py)
    page/       Article -> Extracted     a page's text (extract.py), metadata (facts.py), publication date (date_parsing.py)
    annotate/   Extracted -> Document    sentences and names (parse.py), which party or place a name means (resolve.py)
    detect/     Document -> Events       the trained reader (reader.py), parties.py, dates in the text (dates.py), merge.py
    track/      Brief -> Story           which articles are one story (stories.py, scorer.py), what it tells (happenings.py)
    alert/      Story -> Alerts          alerts.toml (rules.py), which rules ring (evaluate.py, conditions.py), throttle.py
    index/      records -> Elasticsearch documents (documents.py), their mappings (mappings/*.json), search (search.py)
    notify/     Alert -> channels        webhooks (webhook.py), other channels (channels.py), retries (delivery.py)
    console/    questions -> answers     the page and the query API (app.py), new records (live.py), who may what (access.py)

The processes and the topics that they read and write (a record that fails goes to `news.quarantine`, see stage.py):

    collector   collect/collector.py   the web -> news.articles
    worker      worker/app.py          news.articles, news.backfill -> news.documents, news.events, news.briefs (pool.py);
                                       news.briefs -> news.stories; news.stories -> news.alerts
    indexer     index/indexer.py       documents, events, stories, alerts, failures -> Elasticsearch
    notifier    notify/notifier.py     news.alerts -> terminal, webhooks, mail ...
    console     console/server.py      Elasticsearch and new records -> browsers, programs

The support:

    records/    the records on Kafka: Article, Document, Event, Story, Alert ...
    bus/        Kafka outside Faust: topics, publishing, reading, groups, lag
    operate/    run all processes together, status, check, replay, quarantine, past events through the rules
    local/      Kafka and Elasticsearch on this machine
    cli/        the command `dateline`; the only room that prints
    toml/       TOML files into records with clear errors, and edited by line
    settings.py, metrics.py, logs.py, stage.py (one outcome for each record), process.py (version, stop)
"""

import os

# The matrices here are small: numpy's threads would take more CPU time than they save, and each pool process has one core.
# numpy reads this when it is loaded, so it is set before anything else is.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
