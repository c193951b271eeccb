from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0011_private_files")]

    operations = [
        migrations.AlterModelOptions(
            name="room",
            options={
                "abstract": False,
                "default_permissions": ("view", "add", "change", "delete", "export", "import"),
                "ordering": ["location__name", "position", "name"],
                "verbose_name": "room",
                "verbose_name_plural": "rooms",
            },
        ),
        migrations.AddField(
            model_name="room",
            name="position",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="position"),
        ),
        migrations.AddField(
            model_name="historicalroom",
            name="position",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="position"),
        ),
    ]
