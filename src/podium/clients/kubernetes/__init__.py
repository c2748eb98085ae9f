"""A thin client of the Kubernetes API: aiohttp underneath, msgspec structs that name only the fields that are read.

`kubeconfig` and `in_cluster` say where the API server is and who asks, `client` asks, `discovery` knows which resource
serves a kind, `selectors` match labels, `errors` are what may come instead of an answer. It never retries and it
decides nothing: whoever calls knows whether asking again makes sense.
"""
