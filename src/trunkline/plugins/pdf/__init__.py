"""The local PDF engine: pdfium in a child process that may hang, crash or run out of memory without harm.

parser   in the gateway: one child, started at the first file, killed and replaced when it fails
job      what the two tell each other over a pipe
child    the child's main: limits on itself, then job after job
reader   pdfium: text of pages, pictures of pages without text; only the child imports it
png      pictures as PNG, without a library
"""
