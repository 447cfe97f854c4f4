"""``neutone benchmark``: how fast and how late a model is, and where its time goes."""
