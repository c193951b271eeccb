"""What the clinic offers, and who offers it."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Recorded, Retirable, SearchedQuerySet, TranslatedField
from clinic.models.expressions import AsText, Searchable
from clinic.models.sites import EquipmentKind, RoomKind, Windows, hex_colour
from clinic.models.team import Practitioner

# A day is the longest stretch that one appointment may keep busy: reads look back no further.
LONGEST_MINUTES = 24 * 60


class ServiceCategory(Recorded):
    name = TranslatedField(_("name"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta(Recorded.Meta):
        verbose_name = _("service category")
        verbose_name_plural = _("service categories")
        ordering = ["position", "pk"]

    def __str__(self):
        return str(self.name)


class Service(Retirable, Windows):
    """One kind of visit: how long, what it needs, what it costs."""

    name = TranslatedField(_("name"))
    category = models.ForeignKey(ServiceCategory, models.PROTECT, related_name="services", verbose_name=_("category"))
    description = TranslatedField(_("description"), blank=True, multiline=True)
    minutes = models.PositiveSmallIntegerField(
        _("duration (minutes)"), default=30, validators=[MinValueValidator(5), MaxValueValidator(12 * 60)]
    )
    buffer_before = models.PositiveSmallIntegerField(
        _("buffer before (minutes)"),
        default=0,
        validators=[MaxValueValidator(240)],
        help_text=_("Practitioner, room and equipment are busy this long before the visit."),
    )
    buffer_after = models.PositiveSmallIntegerField(
        _("buffer after (minutes)"), default=0, validators=[MaxValueValidator(240)]
    )
    price = models.DecimalField(
        _("price"), max_digits=12, decimal_places=2, default=0, validators=[MinValueValidator(0)]
    )
    colour = models.CharField(_("colour"), max_length=7, default="#0f766e", validators=[hex_colour])
    room_kinds = models.ManyToManyField(
        RoomKind,
        blank=True,
        related_name="services",
        verbose_name=_("rooms"),
        help_text=_("One room of any of these kinds. None: no room is needed."),
    )
    equipment_kinds = models.ManyToManyField(
        EquipmentKind,
        blank=True,
        related_name="services",
        verbose_name=_("equipment"),
        help_text=_("One unit of each of these kinds."),
    )
    online = models.BooleanField(_("can be booked online"), default=True)
    approval = models.BooleanField(
        _("online bookings are requests"),
        default=False,
        help_text=_("A request holds its time until reception or the practitioner approves or declines it."),
    )
    capacity = models.PositiveSmallIntegerField(
        _("people per session"), default=1, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    video = models.BooleanField(_("possible by video"), default=False)
    referral_required = models.BooleanField(_("referral required"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    search = models.GeneratedField(
        expression=Searchable(AsText(F("name"))), output_field=models.TextField(), db_persist=True
    )

    objects = SearchedQuerySet.as_manager()

    class Meta(Retirable.Meta):
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ["category__position", "position", "pk"]
        constraints = [
            models.CheckConstraint(
                name="service_minutes",
                condition=Q(minutes__gte=5)
                & Q(minutes__lte=720)
                & Q(buffer_before__lte=240)
                & Q(buffer_after__lte=240),
            ),
            models.CheckConstraint(name="service_price", condition=Q(price__gte=0)),
            models.CheckConstraint(name="service_capacity", condition=Q(capacity__gte=1)),
        ]

    def __str__(self):
        return str(self.name)


class Offering(Recorded):
    """A practitioner offers a service, at the service's price and length unless said otherwise."""

    practitioner = models.ForeignKey(
        Practitioner, models.CASCADE, related_name="offerings", verbose_name=_("practitioner")
    )
    service = models.ForeignKey(Service, models.CASCADE, related_name="offerings", verbose_name=_("service"))
    price = models.DecimalField(
        _("own price"), max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    minutes = models.PositiveSmallIntegerField(
        _("own duration (minutes)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(12 * 60)],
    )
    online = models.BooleanField(_("online"), default=True)

    class Meta(Recorded.Meta):
        verbose_name = _("offered service")
        verbose_name_plural = _("offered services")
        constraints = [
            models.UniqueConstraint(
                fields=["practitioner", "service"],
                name="offering_once",
                violation_error_message=_("This service is offered already."),
            ),
            models.CheckConstraint(
                name="offering_sane",
                condition=(Q(price__isnull=True) | Q(price__gte=0))
                & (Q(minutes__isnull=True) | Q(minutes__gte=5, minutes__lte=720)),
            ),
        ]

    def __str__(self):
        return f"{self.practitioner} · {self.service}"
