"""From samples to reports, one module for each kind: where statistics and facts about a run meet. Pure."""
