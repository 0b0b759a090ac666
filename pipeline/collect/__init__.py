"""Feeds to articles: the only room that reads the web.

`collector` is the loop, `team` its place among others, `share` what they share; `poll` is one poll of one feed, `fetch`
the hostile web, `local` files and the drop folder, `publish` the way out. The rest is pure: `feed` (bytes -> entries), `feeds`
(feeds.toml), `seen` (what is new), `claims` (whose an article is), `schedule` (when a feed is due), `wishes` (when it does not
want to be asked), `rhythm` (whether it has fallen silent), `urls` (one address for one article), `decode` (bytes -> text).

Formats: `entry` is what a feed is made of; `jsonfeed`, `sitemap` and `opml` read theirs, `unwrap` refuses bombs, `written`
reads dates, `discover` finds the feeds of a page. Beside the loop: `follow` reads the sitemaps of an index, `push` and `websub`
are the way in for hubs, `trial` tries feeds out, `archive` and `backfill` bring articles of the past.
"""
