"""Feeds in, articles out: the only room that reads the web.

The process     `collector` runs the jobs, `poll_loop` polls the feeds that are due, `collector_health` is what /readyz shows.
                `membership` and `sharding` decide which feeds are this collector's own, `writer` writes to Kafka.
One poll        `schedule` says when, `poll` fetches and parses the feed, `seen` finds the new entries, `entry_processor` and
                `article` make articles of them, `poll_batches` publishes them. `identity` tells an entry's own page from a
                wall, and `seen_urls` keeps an article from being published twice.
The web         `fetch` is the interface, `http_client` fetches, with `http_body`, `http_headers`, `host_limits`, `robots`,
                `refresh` and `guard`.
Formats         `feed` recognizes the format, `entry` is what a feed is made of. `jsonfeed`, `sitemap` and `opml` read theirs,
                `safe_xml` refuses XML bombs, `skip_hours` reads when not to poll, `sitemap_index` follows an index, and
                `discover` finds the feeds of a page.
Feeds           `feeds` reads feeds.toml, `rhythm` notices that a feed has fallen silent, `feed_metrics` shows feeds on
                /metrics, `trial` tries feeds out for `dateline feeds check` and `dateline feeds discover`.
Other sources   `subscriber` and `websub` receive what hubs push, `files` and `drop_folder` read local files, `archive` and
                `backfill` bring articles of the past.
"""
