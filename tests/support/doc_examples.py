"""Which test shows each example of OpenRouter's documentation about routing (contract 9.1, and 9.3 for the features beside it).

A test is named by its file below `tests/` and its name; `tests/contract/test_examples.py` sees to it that each is there.
"""

from collections.abc import Mapping, Sequence
from typing import Final

PREFERENCES: Final = "contract/routing/test_preferences.py"
MODELS: Final = "contract/routing/test_models.py"
FEATURES: Final = "contract/routing/test_features.py"
OWN_KEYS: Final = "unit/inference/test_own_keys.py"
PLAN: Final = "unit/routing/test_plan.py"
ORDER: Final = "unit/routing/test_order.py"
TIERS: Final = "unit/routing/test_tiers.py"
QUALITY: Final = "unit/routing/test_quality.py"

EXAMPLES: Final[Mapping[str, Sequence[str]]] = {
    "Provider Routing: $1, $2 with an outage and $3: nine times as likely; then $1, $3, $2": (
        f"{PREFERENCES}::TestTheDefault::test_a_third_of_the_price_is_nine_times_as_likely",
        f"{PREFERENCES}::TestTheDefault::test_when_the_first_fails_the_one_with_the_outage_is_last",
        f"{ORDER}::test_the_worked_example_of_the_documentation",
        f"{PLAN}::test_the_first_choice_follows_one_over_price_squared",
    ),
    "Provider Routing: `only` names a provider that does not serve the model": (
        f"{PREFERENCES}::TestSlugs::test_only_a_provider_that_does_not_serve_the_model",
    ),
    "Provider Routing: the table of slugs": (
        f"{PREFERENCES}::TestSlugs::test_only",
        f"{PREFERENCES}::TestSlugs::test_ignore",
        f"{PREFERENCES}::TestSlugs::test_order",
    ),
    "Provider Routing: preferred throughput and latency": (
        f"{PREFERENCES}::TestMeasured::test_what_misses_a_cut_off_moves_to_the_end_and_stays",
    ),
    "Provider Routing: max_price of $1 and $2": (f"{PREFERENCES}::TestCeilings::test_a_ceiling_is_hard",),
    "BYOK: three own keys, and one": (
        f"{OWN_KEYS}::test_three_own_keys_and_an_order_are_six_attempts",
        f"{OWN_KEYS}::test_an_own_key_for_one_provider_goes_before_the_order",
        f"{ORDER}::test_own_keys_go_first_in_the_callers_order_then_the_shared_capacity_in_the_same",
    ),
    "BYOK: prioritised A and B, fallback C": (f"{OWN_KEYS}::test_prioritised_keys_then_shared_capacity_then_fallback_keys",),
    "BYOK: a key for one model that is always used": (f"{OWN_KEYS}::test_a_key_for_one_model_that_is_always_to_be_used",),
    "BYOK: an own key at a retaining provider and ZDR": (f"{OWN_KEYS}::test_an_own_key_at_a_provider_that_retains_is_not_used_with_zdr",),
    "Auto Router: patterns": (
        "integration/gateway/test_router_rules.py::test_the_pattern_table",
        "unit/routing/routers/test_patterns.py::test_the_documented_patterns",
    ),
    "Pareto Router: thresholds and neighbouring tiers": (
        "unit/routing/routers/test_pareto.py::test_thresholds",
        "unit/routing/routers/test_pareto.py::test_an_empty_tier_gives_way_to_its_neighbour",
        "integration/gateway/test_routers.py::test_pareto_takes_the_cheapest_of_a_tier",
    ),
    "Latest: efforts": ("integration/gateway/test_routers.py::test_the_latest_of_a_family_answers",),
    "Service Tiers: priority": (f"{TIERS}::test_priority_goes_first_and_each_group_by_throughput",),
    "Service Tiers: flex": (f"{TIERS}::test_flex_is_flex_only_by_price", f"{TIERS}::test_flex_without_a_flex_endpoint_is_normal_routing"),
    "Service Tiers: only": (f"{TIERS}::test_only_a_tier_slug_leaves_that_one_in_default_order", f"{PREFERENCES}::TestSlugs::test_only"),
    "Service Tiers: order": (
        f"{TIERS}::test_order_with_a_tier_slug_adds_that_one_and_puts_it_first",
        f"{PREFERENCES}::TestSlugs::test_order",
    ),
    "Service Tiers: nitro and floor": (
        f"{TIERS}::test_nitro_admits_priority_and_sorts_the_whole_pool_by_throughput",
        f"{TIERS}::test_floor_admits_flex_and_sorts_the_whole_pool_by_price",
        f"{MODELS}::TestNames::test_nitro_admits_priority_and_the_order_cancels_that",
    ),
    "Service Tiers: sort": (f"{TIERS}::test_sort_leaves_the_pool_as_it_is",),
    "Auto Exacto: five calls of which one is bad are one errored request": (
        "integration/gateway/test_answer_quality.py::test_five_calls_of_which_one_is_bad_are_one_errored_request",
    ),
    "Auto Exacto: thresholds and floors": (
        f"{QUALITY}::test_one_and_a_half_sigma_below_the_median_throughput",
        f"{QUALITY}::test_two_sigmas_below_the_median_tool_success",
        f"{QUALITY}::test_too_little_data_is_neither_good_nor_bad",
        f"{QUALITY}::test_fewer_than_four_providers_are_not_compared",
    ),
    "Fallbacks: a fails, b answers and is billed": (
        f"{MODELS}::TestFallbackModels::test_any_error_goes_on_to_the_next_model",
        f"{MODELS}::TestFallbackModels::test_however_many_endpoints_the_first_model_has",
    ),
    "Messages: wrong `fallbacks`": (f"{MODELS}::TestFallbacksOfMessages::test_what_is_wrong_with_them_is_a_400",),
    "Response Caching: miss and hit": (f"{FEATURES}::TestCaching::test_a_miss_then_a_hit",),
    "Response Caching: the header of the time to live": (f"{FEATURES}::TestCaching::test_the_time_to_live",),
    "Response Caching: the order of properties": (f"{FEATURES}::TestCaching::test_the_order_of_properties_counts",),
    "Response Healing: five pairs": (f"{FEATURES}::TestHealing::test_the_five_pairs",),
    "Message Transforms: 10,000 tokens": (f"{FEATURES}::TestCompression::test_ten_thousand_tokens_go_where_there_is_room_for_five",),
    "Message Transforms: more than 1,000 messages": (f"{FEATURES}::TestCompression::test_above_a_thousand_messages_the_ends_stay",),
    "Message Transforms: 8,192 tokens by default": (f"{FEATURES}::TestCompression::test_small_endpoints_compress_by_default",),
    "Message Transforms and Router Metadata: success, 42 messages become 30": (
        f"{FEATURES}::TestCompression::test_the_sample_of_the_metadata",
    ),
    "Router Metadata: 404": (f"{PREFERENCES}::TestSlugs::test_only_a_provider_that_does_not_serve_the_model",),
    "Errors: the four samples of availability": (
        "unit/inference/test_failures.py::test_the_sample_of_the_contract_capacity_exhausted",
        "unit/inference/test_availability.py::test_the_sample_of_the_contract_model_deprecated",
        "unit/inference/test_availability.py::test_the_sample_of_the_contract_privacy_restricted",
        "unit/inference/test_availability.py::test_the_sample_of_the_contract_model_not_found",
    ),
    "Zero Completion Insurance": ("unit/metering/test_cost.py::test_zero_completion_insurance",),
}
