from bench.market import EACH, MODELS, TROUBLES, Plan, configuration, members, model_of, outages

PLAN = Plan()


def test_a_third_of_the_fleet_is_in_trouble_and_each_model_has_an_endpoint_left() -> None:
    for phase in range(PLAN.phases):
        now = [one for one in outages(PLAN) if one.start == phase * PLAN.seconds]
        assert len({one.house for one in now}) == len(now) == MODELS * EACH // 3
        assert {one.trouble.name for one in now} == {one.name for one in TROUBLES}
        assert all([model_of(one.house) for one in now].count(model) < EACH for model in range(MODELS))


def test_a_plan_is_the_same_whenever_its_seed_is() -> None:
    assert outages(PLAN) == outages(Plan())
    assert outages(PLAN) != outages(Plan(seed=8))


def test_the_members_play_what_befalls_them() -> None:
    events = outages(PLAN)
    fleet = members(PLAN, events)
    assert len(fleet) == MODELS * EACH
    assert sum(len(one.spells) for one in fleet) == len(events)
    assert all(spell.end - spell.start == PLAN.seconds for one in fleet for spell in one.spells)


def test_the_configuration_names_every_endpoint() -> None:
    text = configuration(PLAN, [("house00", "http://127.0.0.1:1/v1"), ("house29", "http://127.0.0.1:2/v1")])
    assert text.count("[[models]]") == MODELS
    assert text.count("[[endpoints]]") == 2
    assert 'model = "fleet/m5"\nprovider = "house29"' in text
