"""What tests of commands ask of their results."""


def refused(result, name):
    """The one line on stderr of the command ``name`` that refused, without the name."""
    assert result.code == 2, result.out + result.err
    assert result.err.startswith(f"{name}: "), result.err
    assert result.err.count("\n") == 1, result.err
    return result.err.removeprefix(f"{name}: ").strip()
