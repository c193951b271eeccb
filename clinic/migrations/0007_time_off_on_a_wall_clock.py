from django.db import migrations, models

# Of a practitioner of several places the first by name, as for rows to come.
ZONES = """
UPDATE clinic_timeoff t SET zone = coalesce(
    (SELECT l.time_zone FROM clinic_location l WHERE l.id = t.location_id),
    (SELECT l.time_zone FROM clinic_location l JOIN clinic_room r ON r.location_id = l.id WHERE r.id = t.room_id),
    (SELECT l.time_zone FROM clinic_location l JOIN clinic_equipment e ON e.location_id = l.id
     WHERE e.id = t.equipment_id),
    (SELECT l.time_zone FROM clinic_location l JOIN clinic_practitioner_locations p ON p.location_id = l.id
     WHERE p.practitioner_id = t.practitioner_id ORDER BY l.name LIMIT 1), '')
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0006_practitioners_keep_hours")]

    operations = [
        migrations.AddField(
            model_name="timeoff",
            name="zone",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=64, verbose_name="time zone"
            ),
        ),
        migrations.AddField(
            model_name="historicaltimeoff",
            name="zone",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=64, verbose_name="time zone"
            ),
        ),
        migrations.RunSQL(ZONES, migrations.RunSQL.noop),
    ]
