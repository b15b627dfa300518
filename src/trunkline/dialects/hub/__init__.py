"""What lies between two dialects: one block-structured request, nine events of an answer, and how the two sides of a translation look.

conversation   the intermediate request      an inbound dialect decodes into it, an outbound one encodes it
events         the nine events               an upstream decoder makes them, a client encoder writes them
answer         the fold of the events        a whole answer, and what is known of a running one
translation    Decoder, Encoder, and the two translators that `inference` drives
"""
