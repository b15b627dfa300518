"""Each dialect's shape of an answer: from a `Call` and an `Answer` to a `Reply`, whole or as a stream.

One module for each dialect, written from the vendor's API reference and from what vendors were seen to send. All of them say the same
`content.Content`, so a whole answer and the fold of its stream agree. `stream` has what they share: pacing and the framing of events.
"""
