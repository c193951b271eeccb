"""Lists in an order of the clinic's own: two buttons in each row, which work without scripts."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base.actions import record_action
from clinic.services import order


class OrderedRows:
    """For a ClinicAdmin whose model has a `position`, listed by it."""

    move_up = record_action(
        gettext_lazy("Move up"),
        verb="change",
        service=order.up,
        icon="arrow_upward",
        done=gettext_lazy("Moved up"),
    )
    move_down = record_action(
        gettext_lazy("Move down"),
        verb="change",
        service=order.down,
        icon="arrow_downward",
        done=gettext_lazy("Moved down"),
    )

    def get_list_display(self, request):
        shown = [*super().get_list_display(request)]
        # Sorted by something else, up and down would mean nothing.
        moves = self.has_change_permission(request) and "o" not in request.GET and "q" not in request.GET
        return [*shown, self._arrows(request)] if moves else shown

    def _arrows(self, request):
        query = urlencode({"next": request.get_full_path()})

        def arrows(record):
            return format_html(
                '<span class="desk-order">{}{}</span>',
                *(
                    format_html(
                        '<button type="submit" formmethod="post" formaction="{}?{}" aria-label="{}">'
                        '<span class="material-symbols-outlined" aria-hidden="true">{}</span></button>',
                        reverse(f"admin:{self.action_url_name(action.name)}", args=[record.pk]),
                        query,
                        _("%(what)s: %(record)s") % {"what": action.label, "record": record},
                        action.icon,
                    )
                    for action in (self.move_up, self.move_down)
                ),
            )

        arrows.short_description = gettext_lazy("order")
        return arrows

    def open_actions(self, request, obj):
        # They belong to the list, where the neighbours are.
        moves = ("move_up", "move_down")
        return [item for item in super().open_actions(request, obj) if item["action"].name not in moves]
