"""What a vendor would refuse: one module for each dialect, from a request to a `Refusal` in that vendor's words, or None.

Here are the mistakes a gateway can make: a required field that is missing, turns in an order the vendor does not take, calls without
results, reasoning that was changed or belongs to somebody else, keys that were meant for the gateway. The sentences are the vendors' own
where they were seen, since a gateway classifies errors by them. With `strict` in the script also what only some of a vendor's hosts mind.
"""
