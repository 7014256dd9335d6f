"""The embedded Lambda: a loopback service that speaks the Lambda REST API and runs the real handler.

``launcher.EmbeddedLambda`` starts it as a process of its own; ``__main__`` is that process. Inside it, a request
goes ``http`` -> ``api`` -> ``functions`` (what is deployed) or ``fleet`` -> ``environment`` -> ``runtime_api``
(what is running). ``throttle`` gives each execution environment the CPU of its memory size. Nothing here knows
boto3, and the server process imports the standard library only.
"""
