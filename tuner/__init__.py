"""tuner: at which memory size and architecture an AWS Lambda function should run, and how sure that is."""

__version__ = "0.1.0"
