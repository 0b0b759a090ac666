"""Feeds to articles: the only room that reads the web.

`collector` is the loop, `poll` is one poll of one feed, `fetch` is the hostile web, `local` files and the drop folder,
`publish` the way out. The rest is pure: `feed` (bytes -> entries), `feeds` (feeds.toml), `seen` (what is new), `schedule`
(when a feed is due), `urls` (one address for one article), `decode` (bytes -> text).
"""
