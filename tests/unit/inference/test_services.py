from pipelines import Bench, served

from trunkline.inference.services import Services


def test_what_is_optional_is_absent_unless_given() -> None:
    services = Bench([served("one")]).services
    assert isinstance(services, Services)
    assert (services.staging, services.cache, services.routers) == (None, None, None)
