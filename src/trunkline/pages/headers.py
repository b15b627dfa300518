"""What browsers are told to do with our pages: no scripts, no frames, nothing from elsewhere."""

from collections.abc import Mapping

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "script-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)

SECURITY: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""On every answer of this room."""

PAGE: Mapping[str, str] = {**SECURITY, "Cache-Control": "no-cache"}
"""On pages: a browser may keep them, but asks before it shows them again."""

ASSET: Mapping[str, str] = {**SECURITY, "Cache-Control": "public, max-age=31536000, immutable"}
"""On files whose name changes with their content."""
