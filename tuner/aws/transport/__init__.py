"""Invoke over asyncio: signed as botocore signs, one request in flight per connection, never sent twice.

boto3 costs about a millisecond of CPU per call, so that a wave of some hundred invocations queues in the client.
Here a call passes ``requests`` (its bytes, by way of ``signing``) -> ``pool`` -> ``connection`` -> ``answers``
(bytes back to an HTTP answer) -> ``refusals`` (an error as boto3 would raise it); ``invoker`` puts them in order.
``choose.choose_transport`` is the way in: it falls back to boto3 on threads where this transport cannot go.
"""
