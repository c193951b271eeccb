from django.db import migrations

from clinic.database import functions


class Migration(migrations.Migration):
    dependencies = [("clinic", "0001_first_rooms")]

    operations = [migrations.RunSQL(functions.EQUIPMENT_FOLLOWS, functions.EQUIPMENT_FOLLOWS_UNDO)]
