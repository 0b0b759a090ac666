"""How the scorer of stories is made: rarity.py counts words, fit.py learns from labelled articles which are on one news."""
