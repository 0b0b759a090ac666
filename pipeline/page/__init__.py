"""A page in, its article out: the text, what the page declares about itself, its dates and its URL.

`extract` is the step of the path. `decode` reads the bytes, `clutter` and `boilerplate` remove what is not the article, `facts`
and `json_ld` read what the page declares, `page_dates` says when it was published, `date_parsing` reads written dates, and
`urls` compares URLs and gives an article its id.
`markup` removes struck text and footnotes, `live` dates the updates of a live page, `script_body` finds a text in scripts.
`kinship` says whether a page is the article that a feed announced, `parts` finds one article of a page that has several.
"""
