"""The operations of the Lambda API, by what they are about. Each takes a request and its variable path segments."""
