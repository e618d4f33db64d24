-- The rows of a batch, as one stream.
COPY route_batch (position, reference_date, request, payload, content_hash) FROM STDIN
