from django.contrib.postgres.indexes import BTreeIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ships", "0002_flags")]
    operations = [AddIndexConcurrently("Ship", BTreeIndex(fields=["name"], name="ships_name"))]
