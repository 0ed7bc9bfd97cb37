"""HTTP statuses that what stands before a Mailpit says for it: a proxy or a load balancer, never Mailpit.

What the server behind it did is not known then (RFC 9110 15.6: 502 to 504; RFC 6585 4: 429).
"""

GATEWAY = frozenset({429, 502, 503, 504})
