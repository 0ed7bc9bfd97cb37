"""The commented scenario that `mailrace init` writes to start from."""


def template(name: str = "my-race") -> str:
    """A scenario file of that name that loads as it is, with a comment on each key."""
    return _TEMPLATE.replace("name: my-race   ", f"name: {name:10}", 1)


_TEMPLATE = """\
# A race for mailrace. `mailrace check FILE` looks for mistakes, `mailrace run FILE` races it.
name: my-race                     # a-z, 0-9 and -; that of the file
title: Parallel senders share a tag that does not exist yet
source: ""                        # where it is known from: an issue, a log line
what: Shows whether a refused message is stored all the same.

# What is in the store before each round; actors refer to it by name.
# given:
#   - {name: old, tags: ["{run}-{round}"]}

# Who acts in parallel: two actors at least. {run} is unique to the run, {round} new each round,
# {sender} is each sender's own.
actors:
  - send: {count: 2, tags: ["{run}-{round}"], body_bytes: 120}
  # - send: {count: 2, tags: ["{run}-{round}"], tags_via: plus}      # or both
  # - send: {count: 2, message_id: shared, recipients: 2, bcc: 1, headers: {X-Team: billing}}
  # - send: {count: 2, file: mail.eml}            # your own message; each round has its tags anew
  # - delete: {messages: [old]}
  # - delete_search: {query: "to:{round}.old@{run}.test"}
  # - set_tags: {messages: [old], tags: ["{run}-{round}-b"]}
  # - read: {path: "/api/v1/tags", times: 10}

rounds: 100
release:
  at: last-byte                   # connect, mail, rcpt, data, last-byte; free: nobody is held
  profile: rate                   # throughput: less quiet before a round, so more rounds a second
  offsets_us: auto                # or [low, high]
retry: {policy: naive, on: [4xx], attempts: 2, wait_ms: 5}   # none, naive, new-id, reconcile
after_failure: reset              # reconnect, nothing

# Known-bad runs that prove that a race would have been seen, strongest first.
controls:
  - {target: mailpit@1.17.0}
  - {scenario: same-message-id-small}
  - {target: embedded@1.17.0}

# target: {ignore_duplicate_ids: true}   # what a server of ours is started with
# needs: ">=1.19.0"                      # elsewhere: not applicable; derived where left out
"""
