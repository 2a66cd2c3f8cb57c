"""Tables of settings for the documentation, made from the models."""

from collections.abc import Iterator

from pydantic.fields import FieldInfo

from schemas.base import Model

_HEAD = ("| field | says | default |", "| --- | --- | --- |")


def settings_table(name: str, model: type[Model], **beside: FieldInfo) -> str:
    """Return a Markdown table of the fields of a model written under `name`, and of some beside it."""
    others = (_row(path, field) for path, field in beside.items())
    return "\n".join((*_HEAD, *_rows(name, model), *others))


def _rows(prefix: str, model: type[Model]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{prefix}.{field.alias or name}"
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Model):
            yield from _rows(path, inner)
        else:
            yield _row(path, field)


def _row(path: str, field: FieldInfo) -> str:
    return f"| `{path}` | {field.description or ''} |{_default(field)} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return " (required)"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value == {}:
        return ""
    if isinstance(value, tuple):
        return f" `[{', '.join(map(str, value))}]`"
    return f" `{str(value).lower() if isinstance(value, bool) else value}`"
