from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import migrations, models

from clinic.models.expressions import DayRange, MinuteRange


class Migration(migrations.Migration):
    dependencies = [("clinic", "0007_time_off_on_a_wall_clock")]

    operations = [
        migrations.AddConstraint(
            model_name="workinghours",
            constraint=ExclusionConstraint(
                condition=models.Q(("every_weeks", 1)),
                deferrable=models.Deferrable.DEFERRED,
                expressions=[
                    (models.F("practitioner"), "="),
                    (models.F("weekday"), "="),
                    (MinuteRange(models.F("starts"), models.F("ends")), "&&"),
                    (DayRange(models.F("valid_from"), models.F("valid_until")), "&&"),
                ],
                name="working_hours_apart",
                violation_error_message="These hours overlap others of the same practitioner.",
            ),
        ),
    ]
