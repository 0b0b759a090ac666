"""A page in, its article out: the text, what the page declares about itself, its dates and its URL.

`extract` is the step of the path. `decode` reads the bytes, `clutter` and `boilerplate` remove what is not the article, `facts`
and `json_ld` read what the page declares, `date_parsing` reads dates, and `urls` gives an article its one URL and its id.
"""
