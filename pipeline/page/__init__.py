"""HTML -> text: the article in a page, what the page says of itself, its dates and its address."""
