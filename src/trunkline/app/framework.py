"""The web framework with what we use of it."""

from litestar import Litestar
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin


class Framework(Litestar):
    """Litestar without its plugins for pydantic and attrs, which it otherwise loads wherever those are installed: 110 ms and 9 MB."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]
