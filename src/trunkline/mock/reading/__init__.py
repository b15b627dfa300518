"""What a request means: one module for each dialect, from `Asked` to the `Call` that answers are made of.

Written from the vendors' API references. Readers are lenient; `checks` says what the vendor would refuse.
"""
