"""The form field of a translated column: one input per language. Model fields name it, screens style it."""

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class TranslatedWidget(forms.MultiWidget):
    template_name = "admin/widgets/translated.html"

    def __init__(self, attrs=None, input_class=forms.TextInput, input_attrs=None):
        self.languages = settings.LANGUAGES
        widgets = {code: input_class(attrs={"lang": code, **(input_attrs or {})}) for code, _name in self.languages}
        super().__init__(widgets, attrs)

    def decompress(self, value):
        return [(value or {}).get(code, "") for code, _name in self.languages]

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        for widget, (_code, label) in zip(context["widget"]["subwidgets"], self.languages, strict=True):
            widget["language"] = _(label)
        return context


class TranslatedFormField(forms.MultiValueField):
    """Cleans to `{language: text}`; at least one language must be filled where the column may not be blank."""

    def __init__(self, *, multiline=False, max_length=None, **kwargs):
        fields = [forms.CharField(required=False, max_length=max_length or 2000) for _language in settings.LANGUAGES]
        kwargs["widget"] = TranslatedWidget(input_class=forms.Textarea if multiline else forms.TextInput)
        super().__init__(fields, require_all_fields=False, **kwargs)

    def compress(self, data_list):
        return {code: text for (code, _name), text in zip(settings.LANGUAGES, data_list, strict=False) if text}

    def clean(self, value):
        cleaned = super().clean(value) or {}
        if self.required and not cleaned:
            raise ValidationError(self.error_messages["required"], code="required")
        return cleaned

    def has_changed(self, initial, data):
        if not isinstance(initial, list):
            initial = self.widget.decompress(initial)
        return super().has_changed(initial, data)
