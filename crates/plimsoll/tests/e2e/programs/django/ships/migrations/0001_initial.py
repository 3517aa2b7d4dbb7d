from django.db import migrations, models


def fill(apps, schema_editor):
    harbour, ship = apps.get_model("ships", "Harbour"), apps.get_model("ships", "Ship")
    harbours = harbour.objects.bulk_create(harbour(id=1000 + at, name=f"h{at}") for at in range(1000))
    ship.objects.bulk_create(ship(name=f"s{at}", harbour=harbour) for at, harbour in enumerate(harbours))


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.CreateModel(
            "Harbour", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=100))]
        ),
        migrations.CreateModel(
            "Ship",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=100)),
                ("harbour", models.ForeignKey("ships.harbour", on_delete=models.CASCADE)),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
