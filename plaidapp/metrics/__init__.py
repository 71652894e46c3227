"""What is counted and timed, in every process of every host, and summed up in Redis.

`counted` says what there is. Counting only appends to a queue of the process (`pending`), so that
no request and no job waits for Redis. A thread sends the sums every few seconds (`sending`).
`exposition` reads them in Prometheus's format. Imports nothing of ours but `policy`.
"""
