from django.db import migrations, models


def fill(apps, schema_editor):
    for ship in apps.get_model("ships", "Ship").objects.filter(id__lte=20).order_by("id"):
        ship.flag = "NO"
        ship.save()


class Migration(migrations.Migration):
    dependencies = [("ships", "0001_initial")]
    operations = [
        migrations.AddField("Ship", "flag", models.CharField(max_length=2, null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
