"""Whether a signature that comes back is one that was given out: made by the mock for this very text, or written in the script."""

from trunkline.mock.script import Scene
from trunkline.mock.seals import holds, opens


def _scripted(scene: Scene, data: str) -> bool:
    return any(data == rule.answer.signature for rule in scene.rules)


def is_signed(scene: Scene, signature: object, text: object, *, kind: str) -> bool:
    """Whether the signature belongs to the text."""
    if not isinstance(signature, str) or not isinstance(text, str) or not signature:
        return False
    return _scripted(scene, signature) or holds(signature, text, kind=kind, realm=scene.realm)


def is_sealed(scene: Scene, data: object, *, kind: str) -> bool:
    """Whether encrypted reasoning is the mock's own and unchanged."""
    return isinstance(data, str) and (_scripted(scene, data) or opens(data, kind=kind, realm=scene.realm))
