"""Where to measure next and what to conclude: a model of duration against memory, and decisions over its draws."""
