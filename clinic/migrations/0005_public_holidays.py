from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0004_lean_history")]

    operations = [
        migrations.AddField(
            model_name="location",
            name="close_on_holidays",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Nothing is offered on them. A single one can be opened below.",
                verbose_name="closed on public holidays",
            ),
        ),
        migrations.AddField(
            model_name="historicallocation",
            name="close_on_holidays",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Nothing is offered on them. A single one can be opened below.",
                verbose_name="closed on public holidays",
            ),
        ),
        migrations.AlterField(
            model_name="location",
            name="subdivision",
            field=models.CharField(
                blank=True,
                help_text="For the holidays of one region or town alone. In Italy the province, as in MI: Sant’Ambrogio.",
                max_length=8,
                verbose_name="region of holidays",
            ),
        ),
        migrations.AlterField(
            model_name="historicallocation",
            name="subdivision",
            field=models.CharField(
                blank=True,
                help_text="For the holidays of one region or town alone. In Italy the province, as in MI: Sant’Ambrogio.",
                max_length=8,
                verbose_name="region of holidays",
            ),
        ),
    ]
