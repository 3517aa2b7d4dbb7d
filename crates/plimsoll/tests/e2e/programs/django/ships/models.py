from django.contrib.postgres.indexes import BTreeIndex
from django.db import models


class Harbour(models.Model):
    name = models.CharField(max_length=100)


class Captain(models.Model):
    name = models.CharField(max_length=100)


class Ship(models.Model):
    name = models.CharField(max_length=100)
    flag = models.CharField(max_length=2, null=True)
    harbour = models.ForeignKey(Harbour, on_delete=models.CASCADE)
    captain = models.ForeignKey(Captain, null=True, on_delete=models.SET_NULL)

    class Meta:
        indexes = [BTreeIndex(fields=["name"], name="ships_name")]
