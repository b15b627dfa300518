"""Fills the templates. Text is escaped unless a template says otherwise, and a name that no template was given is an error."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from markupsafe import Markup, escape

from trunkline.pages import headers
from trunkline.pages.assets import Assets

_MEDIA_TYPE = "text/html"


def code_spans(text: str) -> Markup:
    """Plain text as HTML, with what stands between backticks as code."""
    parts = (f"<code>{escape(part)}</code>" if index % 2 else escape(part) for index, part in enumerate(text.split("`")))
    return Markup("".join(parts))  # noqa: S704 - every part is escaped above


class Renderer:
    """The templates of this room. `origin` is the address of the site."""

    def __init__(self, assets: Assets, origin: str) -> None:
        self._environment = Environment(
            loader=PackageLoader(__package__),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(asset=assets.path, origin=origin)
        self._environment.filters["code_spans"] = code_spans

    def text(self, template: str, **context: object) -> str:
        """The filled template, as HTML."""
        return self._environment.get_template(template).render(context)

    def page(self, template: str, *, status: int = 200, **context: object) -> Response[bytes]:
        """A complete answer."""
        content = self.text(template, **context).encode()
        return Response(content, status_code=status, headers=dict(headers.PAGE), media_type=_MEDIA_TYPE)
