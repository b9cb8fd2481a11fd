"""Recipes: the settings of a training run, as nested dicts read from YAML and the command line."""

import contextlib
import copy
import difflib
import inspect
import math
from pathlib import Path

import yaml

from keras_gait.errors import GaitError
from keras_gait.training.lightning_recipe import is_lightning_yaml, recipe_from_lightning
from keras_gait.training.opengait_recipe import is_opengait_yaml, recipe_from_opengait
from keras_gait.training.selfgait_recipe import is_selfgait_yaml, recipe_from_selfgait
from keras_gait.training.settings import LEAST, METHODS, MOST, OPTIONAL, WORDS


def load_recipe(path=None, overrides=None):
    """A complete recipe: the method's defaults, then the file, then the command line.

    Args:
        path: YAML file, ours, OpenGait's, GaitGraph2's or SelfGait's, or None.
        overrides: dict from dotted keys (``"sampler.p"``) to values.

    Raises:
        GaitError: no such file, not YAML, an unknown key (the nearest known one is named), or a value of
            another type.
    """
    given = _read(path) if path else {}
    if is_opengait_yaml(given):
        given = recipe_from_opengait(given, path)
    elif is_selfgait_yaml(given):  # before Lightning's, which has a trainer, too
        given = recipe_from_selfgait(given, path)
    elif is_lightning_yaml(given):
        given = recipe_from_lightning(given, path)
    method = (overrides or {}).get("method", given.get("method", "attengait"))
    if not isinstance(method, str) or method not in METHODS:
        raise GaitError(f"unknown method {method!r}. Known: {', '.join(METHODS)}")
    known = METHODS[method].settings | {"method": method, "model": _model_defaults(method)}
    recipe = copy.deepcopy(known)
    where = f" in {path}" if path else ""
    for key, value in _flat(given):
        _set(recipe, known, key, value, where)
    for key, value in (overrides or {}).items():
        _set(recipe, known, key, value, " on the command line")
    return recipe


def method_recipe(model):
    """The recipe of a model's method by itself, for a model file that lies without its own."""
    return load_recipe(overrides={"method": type(model).__name__.lower()})


def parse_override(text):
    """A command-line value as YAML reads it: ``"0.1"`` -> 0.1, ``"true"`` -> True."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise GaitError(f"{text!r} is not a YAML value") from error


def save_recipe(recipe, path):
    Path(path).write_text(yaml.safe_dump(recipe, sort_keys=False))


def differences(one, other):
    """Dotted keys in which two recipes differ, with both values."""
    one, other = dict(_flat(one)), dict(_flat(other))
    return {
        key: (one.get(key), other.get(key))
        for key in sorted(one | other)
        if _plain(one.get(key)) != _plain(other.get(key))
    }


def _read(path):
    try:
        content = yaml.safe_load(Path(path).read_text())
    except FileNotFoundError as error:
        raise GaitError(f"no recipe at {path}") from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise GaitError(f"{path} is not a readable YAML recipe: {error}") from error
    if not isinstance(content, dict):
        raise GaitError(f"{path} holds no recipe: expected sections such as 'model:' and 'train:'")
    return content


def model_class(method):
    from keras_gait import models  # loads Keras, which takes seconds

    return getattr(models, METHODS[method].model)


def _model_defaults(method):
    """The constructor arguments of a method's model, which the recipe's ``model`` section may set."""
    model = model_class(method)
    parameters = inspect.signature(model.__init__).parameters.values()
    return {
        p.name: p.default
        for p in parameters
        if p.default is not inspect.Parameter.empty and p.name not in model.not_in_recipes
    }


def _flat(tree, prefix=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


def _set(recipe, known, key, value, where):
    *sections, name = key.split(".")
    table, defaults = recipe, known
    for section in sections:
        if not isinstance(defaults.get(section), dict):
            raise GaitError(_unknown(key, known, where))
        table, defaults = table[section], defaults[section]
    if name not in defaults:
        raise GaitError(_unknown(key, known, where))
    if isinstance(defaults[name], dict):
        if value is None:  # a section without keys
            return
        raise GaitError(f"recipe key {key!r}{where} is a section with keys of its own. Received: {value!r}")
    least = LEAST | METHODS[known["method"]].least
    table[name] = _checked(key, value, defaults[name], least.get(key), where)


def _unknown(key, known, where):
    keys = [k for k, _ in _flat(known)]
    nearest = difflib.get_close_matches(key, keys, 1, 0.0)[0]
    return f"unknown recipe key {key!r}{where}; the nearest known key is {nearest!r}"


def _checked(key, value, default, least, where):
    """``value``, a float where one is expected; refused where type, ``least``, `MOST`, `WORDS` forbid it."""
    others = OPTIONAL.get(key, ())
    number = isinstance(default, float) or (default is None and float in others)
    if number and not isinstance(value, bool):
        with contextlib.suppress(TypeError, ValueError):  # YAML 1.1 reads 1e-4 as text
            value = float(value)
    kinds = (list, tuple) if isinstance(default, list | tuple) else (type(default),)
    kinds += others
    if type(value) not in kinds:
        expected = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
        raise GaitError(f"recipe key {key!r}{where} must be of type {expected}. Received: {value!r}")
    if value is None:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        raise GaitError(f"recipe key {key!r}{where} must be a finite number. Received: {value!r}")
    if least is not None and value < least:
        raise GaitError(f"recipe key {key!r}{where} must be at least {least}. Received: {value!r}")
    if key in MOST and value > MOST[key]:
        raise GaitError(f"recipe key {key!r}{where} must be at most {MOST[key]}. Received: {value!r}")
    if key in WORDS and value not in WORDS[key]:
        raise GaitError(
            f"recipe key {key!r}{where} must be one of {', '.join(WORDS[key])}. Received: {value!r}"
        )
    return value
