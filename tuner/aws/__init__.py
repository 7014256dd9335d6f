"""Adapters of the engine's ports over boto3: the only place that knows it. The embedded Lambda is reached through
the same code; only the endpoint differs."""
