from trunkline.routing.routers.contender import Contender, no_match


def test_a_typical_generation_has_three_tokens_in_for_one_out() -> None:
    assert Contender("a/m", prompt_price=10, completion_price=50).cost == 80


def test_no_model_is_left() -> None:
    error = no_match(["openrouter/auto"])
    assert (error.status, error.message) == (404, "No models match your request and model restrictions")
    assert error.availability is not None
    assert (error.availability["code"], error.availability["requested_models"]) == ("constraint_filtered", ["openrouter/auto"])
