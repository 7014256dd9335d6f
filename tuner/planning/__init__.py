"""From a request and a snapshot of the function to a plan: pure data, nothing is called."""
