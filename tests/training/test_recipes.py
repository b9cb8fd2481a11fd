"""Recipes: defaults, file, command line, in this order, and every mistake by name."""

import pytest

from keras_gait.errors import GaitError
from keras_gait.training.recipes import differences, load_recipe, parse_override, save_recipe


@pytest.fixture
def file(tmp_path):
    def file(text):
        path = tmp_path / "recipe.yaml"
        path.write_text(text)
        return path

    return file


def test_the_defaults_are_the_published_ones():
    recipe = load_recipe()
    assert recipe["optimizer"] == {"name": "Adam", "learning_rate": 1e-4, "weight_decay": 1e-5}
    assert (recipe["sampler"]["p"], recipe["sampler"]["k"], recipe["sampler"]["frames"]) == (8, 16, 30)
    assert (recipe["train"]["epochs"], recipe["train"]["extra_epochs"]) == (75, 25)
    assert recipe["losses"]["margin"] == 0.2


def test_the_file_wins_over_the_defaults_and_the_command_line_over_the_file(file):
    path = file("sampler: {p: 4, k: 6}\nmodel:\n  reduction: mean\n")
    recipe = load_recipe(path, {"sampler.k": 2, "model.softmax_attention": True})
    assert (recipe["sampler"]["p"], recipe["sampler"]["k"]) == (4, 2)
    assert recipe["model"]["reduction"] == "mean"
    assert recipe["model"]["softmax_attention"] is True
    assert (
        recipe["model"]["model_size"] == "small"
    )  # the constructor's default, so that the run's folder tells all


def test_one_recipe_does_not_change_the_next():
    load_recipe(None, {"sampler.p": 3})
    assert load_recipe()["sampler"]["p"] == 8


def test_an_empty_section_changes_nothing(file):
    assert load_recipe(file("model:\ntrain: {}\n")) == load_recipe()


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("sampler: {frame: 16}", "sampler.frames"),
        ("optimiser: {learning_rate: 1.0}", "optimizer.learning_rate"),
        ("model: {nclasses: 3}", "data.nclasses"),
        ("losses: {margin: {high: 1}}", "losses.margin"),
    ],
)
def test_an_unknown_key_names_the_nearest_and_the_file(file, text, nearest):
    path = file(text)
    with pytest.raises(GaitError, match=f"unknown recipe key .* in {path}; .* '{nearest}'"):
        load_recipe(path)


def test_an_unknown_key_on_the_command_line_is_said_to_be_there():
    with pytest.raises(GaitError, match=r"'train\.epoch' on the command line; .* 'train\.epochs'"):
        load_recipe(None, {"train.epoch": 3})


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("sampler.p", "eight", "int"),
        ("sampler.p", 8.5, "int"),
        ("sampler.p", True, "int"),
        ("sampler.p", None, "int"),
        ("sampler.pk", 1, "bool"),
        ("losses.margin", "wide", "float"),
        ("losses.margin", True, "float"),
        ("losses.margin", None, "float"),
        ("train.prefix", 3, "str"),
        ("data.nclasses", "many", "int"),
        ("model.n_filters", 5, "list or tuple"),
    ],
)
def test_another_type_is_refused(key, value, kind):
    with pytest.raises(GaitError, match=f"'{key}' on the command line must be of type {kind}"):
        load_recipe(None, {key: value})


@pytest.mark.parametrize(
    ("key", "least"),
    [
        ("sampler.frames", 16),
        ("sampler.p", 2),
        ("sampler.k", 1),
        ("train.epochs", 1),
        ("train.save_epoch", 1),
        ("train.seed", 0),
        ("evaluation.knn", 1),
        ("evaluation.min_frames", 1),
    ],
)
def test_values_too_small_to_train_are_refused(key, least):
    load_recipe(None, {key: least})
    with pytest.raises(GaitError, match=f"'{key}' .* must be at least {least}. Received: {least - 1}"):
        load_recipe(None, {key: least - 1})


def test_a_section_takes_no_value(file):
    with pytest.raises(GaitError, match=r"'model' .* is a section .* 'small'"):
        load_recipe(file("model: small"))


def test_yaml_reads_a_power_of_ten_as_text_and_it_is_a_number_here(file):
    assert load_recipe(file("optimizer: {learning_rate: 1e-4}"))["optimizer"]["learning_rate"] == 1e-4


def test_an_integer_will_do_for_a_float():
    margin = load_recipe(None, {"losses.margin": 1})["losses"]["margin"]
    assert margin == 1.0
    assert isinstance(margin, float)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.1", 0.1), ("3", 3), ("true", True), ("null", None), ("[3, 4]", [3, 4]), ("alphapose", "alphapose")],
)
def test_a_word_on_the_command_line_is_read_as_yaml(text, value):
    assert parse_override(text) == value


def test_a_word_that_is_no_yaml_is_refused():
    with pytest.raises(GaitError, match="not a YAML value"):
        parse_override("[1, 2")


@pytest.mark.parametrize(
    ("text", "message"),
    [("- 1\n- 2", "holds no recipe"), ("", "holds no recipe"), ("a: [", "not a readable YAML")],
)
def test_a_file_that_is_no_recipe_is_refused(file, text, message):
    with pytest.raises(GaitError, match=message):
        load_recipe(file(text))


def test_yaml_cannot_run_code(file):
    with pytest.raises(GaitError, match="not a readable YAML"):
        load_recipe(file("train: !!python/object/apply:os.getcwd []"))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(GaitError, match=r"no recipe at .*other.yaml"):
        load_recipe(tmp_path / "other.yaml")


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(GaitError, match=r"'gaitnet'. Known: attengait"):
        load_recipe(None, {"method": "gaitnet"})


@pytest.mark.parametrize("method", [["attengait"], {"name": "attengait"}, None])
def test_a_method_that_is_no_word_is_refused(method):
    with pytest.raises(GaitError, match=r"unknown method .* Known: attengait"):
        load_recipe(None, {"method": method})


def test_an_unknown_metric_is_refused_with_the_known_ones():
    with pytest.raises(GaitError, match=r"'evaluation.metric' .* one of L1, L2, .* Received: 'nonsense'"):
        load_recipe(None, {"evaluation.metric": "nonsense"})


def test_a_saved_recipe_comes_back_the_same(tmp_path):
    recipe = load_recipe(None, {"model.n_filters": (3, 4, 4, 5), "optimizer.learning_rate": 1e-5})
    save_recipe(recipe, tmp_path / "recipe.yaml")
    assert differences(recipe, load_recipe(tmp_path / "recipe.yaml")) == {}


def test_differences_name_the_dotted_keys_with_both_values():
    one, other = load_recipe(None, {"model.deep": True}), load_recipe(None, {"sampler.p": 4})
    assert differences(one, other) == {"model.deep": (True, None), "sampler.p": (8, 4)}
