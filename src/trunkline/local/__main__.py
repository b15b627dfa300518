"""`python -m trunkline.local` fetches the weights of the local model; `trunkline local fetch` is the same."""

import os
import sys

from trunkline.local import embedder_files, presence, weights


def main() -> int:
    """Fetches the weights into the default folder and says where they are, in one line. Exit code 1 when that fails.

    On a machine without the engine there is nothing to fetch for, which is said and is no failure.
    """
    directory = weights.default_directory(os.environ)
    if not presence.has_engine():
        sys.stdout.write(f"The local model is off: {presence.installed(directory).reason}.\n")
        return 0
    try:
        path = weights.fetch(directory)
        others = embedder_files.fetch(directory)
    except weights.FetchFailed as error:
        sys.stderr.write(f"The local model is off: {error}.\n")
        return 1
    sys.stdout.write(f"Local model: {path} ({weights.SIZE / 1e6:.0f} MB)\n")
    sys.stdout.write(f"Local embedding model: {others[0]} ({embedder_files.MODEL.size / 1e6:.0f} MB)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
