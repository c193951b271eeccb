"""SQL functions that constraints and generated columns are written with."""

from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, DecimalRangeField, RangeBoundary
from django.db import models
from django.db.models import Func


class TsTzRange(Func):
    """tstzrange(from, until, '[)'): half-open, so that neighbours do not touch."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()

    def __init__(self, start, end):
        super().__init__(start, end, RangeBoundary())


class MinuteRange(Func):
    """Two times of a day as a range of seconds; an end at 00:00 is midnight."""

    template = (
        "numrange(extract(epoch from %(starts)s), CASE WHEN %(ends)s = '00:00' THEN 86400 "
        "ELSE extract(epoch from %(ends)s) END)"
    )
    output_field = DecimalRangeField()

    def as_sql(self, compiler, connection, **context):
        (starts, given), (ends, more) = (compiler.compile(part) for part in self.source_expressions)
        return self.template % {"starts": starts, "ends": ends}, [*given, *more, *more]


class DayRange(Func):
    """daterange(from, until, '[]'): both days included, an open end without one."""

    function = "DATERANGE"
    output_field = DateRangeField()

    def __init__(self, start, end):
        super().__init__(start, end, RangeBoundary(inclusive_upper=True))


class LocalDay(Func):
    """The calendar day of a moment on the wall clock of a zone; immutable, so that it may be stored."""

    template = "((%(expressions)s)::date)"
    arg_joiner = " AT TIME ZONE "
    output_field = models.DateField()


class Searchable(Func):
    """Lower case without accents over several columns, phones as bare digits: what names are searched by.

    f_norm is made by migration 0001; it is immutable, which unaccent by itself is not.
    """

    function = "f_norm"
    arg_joiner = " || ' ' || "
    output_field = models.TextField()


class Digits(Func):
    template = r"regexp_replace(%(expressions)s, '\D', '', 'g')"
    output_field = models.TextField()


class AsText(Func):
    template = "(%(expressions)s)::text"
    output_field = models.TextField()
