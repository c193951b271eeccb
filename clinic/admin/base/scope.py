"""What a person may see and touch, for screens and their inlines. Rights themselves live in permissions."""

from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from clinic import actor, permissions
from clinic.services import audit


def may(request, verb, subject) -> bool:
    """`permissions.can`, asked once per request, verb and object: pages ask for the same thing many times."""
    if isinstance(subject, type) or subject.pk is None:
        return permissions.can(request.user, verb, subject)
    answers = request.__dict__.setdefault("_may", {})
    key = (verb, type(subject), subject.pk)
    if key not in answers:
        answers[key] = permissions.can(request.user, verb, subject)
    return answers[key]


class ScopedRows:
    """Rows and verbs of one model as `permissions` grants them; for admins and inlines alike."""

    def get_queryset(self, request):
        return permissions.visible(request.user, super().get_queryset(request))

    def get_field_queryset(self, db, db_field, request):
        """Nothing can be chosen that cannot be seen."""
        queryset = super().get_field_queryset(db, db_field, request)
        if queryset is None:
            queryset = db_field.remote_field.model._default_manager.all()
        return self.choosable(request, db_field, permissions.visible(request.user, queryset))

    def choosable(self, request, db_field, queryset):
        """Which of the rows that a person sees they may choose here: said once, for the input and what it suggests."""
        return queryset

    def get_autocomplete_fields(self, request):
        """Every relation to a model whose screen can be searched: no form lists what grows."""
        fields = [*self.opts.fields, *self.opts.many_to_many]
        return [
            field.name
            for field in fields
            if field.is_relation and field.editable and self._can_be_searched(field.remote_field.model, request)
        ]

    def _can_be_searched(self, model, request):
        try:
            return bool(self.admin_site.get_model_admin(model).get_search_fields(request))
        except NotRegistered:
            return False


class ScopedObjects(ScopedRows):
    """The same for whole screens: a foreign object is not found, a verb that is not granted is refused."""

    @property
    def verbs(self) -> set[str]:
        """What can be done to such a record at all."""
        own = {codename.removesuffix(f"_{self.opts.model_name}") for codename, _label in self.opts.permissions}
        return {*self.opts.default_permissions, *own}

    def _granted(self, request, verb, obj=None):
        if verb not in self.verbs:
            # Not even a superuser deletes a patient.
            return False
        if obj is None:
            return may(request, verb, self.model)
        if not isinstance(obj, self.model):
            # The theme hands over what stood in the address.
            obj = self.get_object(request, str(obj))
            return obj is not None and may(request, verb, obj)
        return may(request, verb, obj)

    def has_view_permission(self, request, obj=None):
        return self._granted(request, "view", obj)

    def has_add_permission(self, request):
        return self._granted(request, "add")

    def has_change_permission(self, request, obj=None):
        return self._granted(request, "change", obj)

    def has_delete_permission(self, request, obj=None):
        return self._granted(request, "delete", obj)

    def has_export_permission(self, request):
        return self._granted(request, "export")

    def has_import_permission(self, request):
        return self.importable and self._granted(request, "import")

    def has_module_permission(self, request):
        return self._granted(request, "view")

    def get_object_or_refuse(self, request, object_id, verb="view"):
        """The object of an address: refused (403) without the function, not found (404) outside the scope."""
        if not self._granted(request, verb):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise self._not_found(object_id)
        if not self._granted(request, verb, obj):
            raise PermissionDenied
        return obj

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        raise self._not_found(object_id)

    def _not_found(self, object_id) -> Http404:
        """The answer is the same whether there is no such record or a foreign one; the trail keeps the second."""
        try:
            foreign = self.model._base_manager.filter(pk=self.opts.pk.to_python(unquote(object_id))).first()
        except ValidationError:
            foreign = None
        if foreign is not None:
            audit.looked(foreign, by=actor.current(), verb="denied")
        return Http404()

    def lookup_allowed(self, lookup, value, request):
        """Only declared filters: any other lookup would answer questions about columns nobody shows."""
        declared = {self.date_hierarchy} if self.date_hierarchy else set()
        for item in self.get_list_filter(request):
            if isinstance(item, str):
                declared.add(item)
            elif isinstance(item, tuple | list):
                declared.add(item[0])
            else:
                declared.add(item.parameter_name)
        named = any(
            lookup in (name, f"{name}_from", f"{name}_to") or lookup.startswith(f"{name}__") for name in declared
        )
        return named and super().lookup_allowed(lookup, value, request)

    def get_search_results(self, request, queryset, search_term):
        """What is chosen in a form is active; lists show everything."""
        match = request.resolver_match
        if match and match.url_name == "autocomplete" and self.retirable:
            queryset = queryset.filter(active=True)
        if list(self.search_fields) == ["search"]:
            return queryset.matching(search_term), False
        return super().get_search_results(request, queryset, search_term)


class ScopedInline(ScopedRows):
    """An inline asks for its own model's verb; Django asks the parent's before."""

    def has_view_permission(self, request, obj=None):
        return may(request, "view", self.model)

    def has_add_permission(self, request, obj=None):
        return may(request, "add", self.model)

    def has_change_permission(self, request, obj=None):
        return may(request, "change", self.model)

    def has_delete_permission(self, request, obj=None):
        return may(request, "delete", self.model)
