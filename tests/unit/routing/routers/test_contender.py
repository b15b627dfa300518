from trunkline.routing.routers.contender import Contender, go_on, no_match


def test_a_typical_generation_has_three_tokens_in_for_one_out() -> None:
    assert Contender("a/m", prompt_price=10, completion_price=50).cost == 80


def test_no_model_is_left() -> None:
    error = no_match(["openrouter/auto"])
    assert (error.status, error.message) == (404, "No models match your request and model restrictions")
    assert error.availability is not None
    assert (error.availability["code"], error.availability["requested_models"]) == ("constraint_filtered", ["openrouter/auto"])


def test_a_conversation_goes_on_with_its_model_while_that_is_a_candidate() -> None:
    models = ["a/1", "a/2", "a/3", "a/4"]
    assert go_on(models, None) == ["a/1", "a/2", "a/3"]
    assert go_on(models, "a/4") == ["a/4", "a/1", "a/2"]
    assert go_on(models, "a/9") == ["a/1", "a/2", "a/3"]
    assert go_on([], "a/1") == []


def test_an_operator_is_told_why() -> None:
    assert no_match((), ": no scores").message == "No models match your request and model restrictions: no scores"
