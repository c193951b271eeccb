"""Lists of any size: a capped count, pages by primary key, the last page from the far end.

Counting a million rows or skipping to the last of them costs a second; nobody reads page 200.
"""

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db import DataError
from django.utils.functional import cached_property
from unfold.views import ChangeList

from clinic.admin.base import hierarchy

CAP = 10_000
LAST = "last"


class CappedPaginator(Paginator):
    """Counts to CAP + 1 and no further."""

    # Where rows of one kind were written one after the other, reading on until some are found is no way to count:
    # the list's own order has an index for each filter.
    in_order = False

    @cached_property
    def count(self):
        rows = self.object_list if self.in_order else self.object_list.order_by()
        return rows[: CAP + 1].count()

    @property
    def capped(self) -> bool:
        return self.count > CAP

    @cached_property
    def num_pages(self):
        pages = -(-min(self.count, CAP) // self.per_page)
        return max(pages, 1)


class OrderedPaginator(CappedPaginator):
    """Counts in the order of the list."""

    in_order = True


class PagedChangeList(ChangeList):
    """Reads the keys of one page first and its rows, with their joins, by key."""

    on_last_page = False
    # Years, months or days that the list can be narrowed to: see hierarchy.py.
    periods = None

    def get_ordering_field(self, field_name):
        # Django offers no other order, but obeys an address that asks for one.
        if self.sortable_by is not None and field_name not in self.sortable_by:
            return None
        return super().get_ordering_field(field_name)

    def get_results(self, request):
        try:
            self._read(request)
        except DataError as error:
            # An address may ask for what no column can hold, as a text with NUL.
            raise IncorrectLookupParameters from error

    def _read(self, request):
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.paginator = paginator
        self.result_count = paginator.count
        # The theme would print both beside the title; ours stands below the list.
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = self.result_count > self.list_per_page
        self.on_last_page = paginator.capped and request.GET.get(PAGE_VAR) == LAST
        if not self.on_last_page and not 1 <= self.page_num <= paginator.num_pages:
            raise IncorrectLookupParameters
        self.result_list = self._rows(self._keys())
        shown = self.date_hierarchy and self.model_admin.shows_periods(request)
        self.periods = hierarchy.periods(self) if shown else None

    def _keys(self):
        keys = self.queryset.values_list("pk", flat=True)
        if self.on_last_page:
            return list(keys.reverse()[: self.list_per_page])[::-1]
        start = (self.page_num - 1) * self.list_per_page
        return list(keys[start : start + self.list_per_page])

    def _rows(self, keys):
        place = {key: number for number, key in enumerate(keys)}
        rows = self.queryset.filter(pk__in=keys).order_by()
        return sorted(rows, key=lambda row: place[row.pk])

    @property
    def count_text(self) -> str:
        return f"{CAP:,}+" if self.paginator.capped else str(self.result_count)

    @property
    def last_page_link(self) -> str:
        return self.get_query_string({PAGE_VAR: LAST})
