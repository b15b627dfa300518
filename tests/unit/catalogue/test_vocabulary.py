from trunkline.catalogue import vocabulary


def test_the_words_of_the_contract() -> None:
    assert len(vocabulary.PARAMETER_ORDER) == len(vocabulary.PARAMETERS) == 26
    assert set(vocabulary.MODALITY_ORDER) >= vocabulary.INPUT_MODALITIES
    assert set(vocabulary.MODALITY_ORDER) >= vocabulary.OUTPUT_MODALITIES
    assert len(vocabulary.EU_COUNTRIES) == 27
    assert {"nitro", "floor", "exacto", "online"} == vocabulary.DYNAMIC_VARIANTS
